-- Which series had a venue ended by a moment?
select *
from ops.series
where status = 'delisted' and checked_at <= $as_of
order by source, dataset, market_type, market_id, timeframe
