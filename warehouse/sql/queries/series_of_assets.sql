-- How does each followed series stand?
select source, dataset, market_id, timeframe, asset, status, newest_data_at, message
from ops.series
order by source, dataset, market_id, timeframe
