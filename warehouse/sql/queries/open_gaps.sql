-- Which stretches of data are missing, newest first?
select venue, dataset, market_type, market_id, timeframe, gap_start, gap_end, status, attempts
from ops.gaps
where status <> 'closed'
order by gap_start desc, venue, market_id
limit $most
