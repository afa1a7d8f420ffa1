-- Which open gaps are the venue's own outage: asked for often enough, and none of at least $witnesses other markets
-- of the same kind, each with rows on both sides, has a row in them?
with observations as (
  select 'candles' as dataset, market_type, market_id, timeframe, open_time as seen_at from core.candles where venue = $venue
  union all
  select 'mark_candles', market_type, market_id, timeframe, open_time from core.mark_candles where venue = $venue
  union all
  select 'open_interest', market_type, market_id, '', observed_at from core.open_interest where venue = $venue
  union all
  select 'funding_rates', 'perp', market_id, '', settled_at from core.funding_rates where venue = $venue
),
doubtful as (
  select dataset, market_type, market_id, timeframe, gap_start, gap_end
  from ops.gaps
  where venue = $venue and status = 'open' and attempts >= $attempts
),
followed as (
  select dataset, market_type, market_id, timeframe, min(seen_at) as first_at, max(seen_at) as newest_at
  from observations
  where exists (from doubtful where doubtful.dataset = observations.dataset)
  group by all
),
witnesses as (
  select doubtful.*, count(*) as markets
  from doubtful
  inner join followed
    on followed.dataset = doubtful.dataset
    and followed.market_type = doubtful.market_type
    and followed.timeframe = doubtful.timeframe
    and followed.market_id <> doubtful.market_id
    and followed.first_at < doubtful.gap_start
    and followed.newest_at >= doubtful.gap_end
  group by all
)
select dataset, market_type, market_id, timeframe, gap_start, gap_end
from witnesses
where markets >= $witnesses
  and not exists (
    from observations
    where observations.dataset = witnesses.dataset
      and observations.market_type = witnesses.market_type
      and observations.timeframe = witnesses.timeframe
      and observations.market_id <> witnesses.market_id
      and observations.seen_at >= witnesses.gap_start
      and observations.seen_at < witnesses.gap_end
  )
order by dataset, market_type, market_id, timeframe, gap_start
