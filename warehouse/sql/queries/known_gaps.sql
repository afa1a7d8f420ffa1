-- Which gaps of a venue's candles are known and not closed?
select venue, market_type, market_id, dataset, timeframe, gap_start, gap_end, status, attempts, first_seen_at
from ops.gaps
where venue = $venue and dataset = 'candles' and status <> 'closed'
order by market_type, market_id, timeframe, gap_start
