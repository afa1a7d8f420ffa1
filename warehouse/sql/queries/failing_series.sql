-- Which series are not simply followed: not listed yet, delisted, unsupported or failing?
select source, dataset, market_id, timeframe, status, message
from ops.series
where status <> 'active'
order by source, dataset, market_id, timeframe
