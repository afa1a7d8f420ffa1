-- How far was every followed series read?
select source, dataset, market_type, market_id, timeframe, asset, status, first_data_at, newest_data_at, fetched_until, checked_at, message
from ops.series
