-- Which gaps of a venue's series are known and not closed?
select
  venue, market_type, market_id, dataset, timeframe, gap_start, gap_end, status, attempts, first_seen_at,
  coalesce(rounds, 0) as rounds, asked_at, coalesce(evidence, '') as evidence
from ops.gaps
where venue = $venue and status <> 'closed'
order by dataset, market_type, market_id, timeframe, gap_start
