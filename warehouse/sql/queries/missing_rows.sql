-- Which stretches between the first and the newest row of a venue's series have no row, from an instant on?
-- Rows on a grid are counted in stretches of 512 steps first: only those that are not full are looked at row by row.
-- A settlement is missing where the stretch before it is longer than the intervals on both sides of it: an
-- interval that the venue changed is none.
with steps (timeframe, seconds) as (
  values ('1m', 60), ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200), ('4h', 14400),
    ('6h', 21600), ('8h', 28800), ('12h', 43200), ('1d', 86400)
),
grid as not materialized (
  select 'candles' as dataset, market_type, market_id, timeframe, open_time as seen_at, seconds
  from core.candles
  inner join steps using (timeframe)
  where venue = $venue and open_time >= $since
  union all
  select 'mark_candles', market_type, market_id, timeframe, open_time, seconds
  from core.mark_candles
  inner join steps using (timeframe)
  where venue = $venue and open_time >= $since
  union all
  select 'open_interest', market_type, market_id, '', observed_at, 3600
  from core.open_interest
  where venue = $venue and observed_at >= $since
),
parts as materialized (
  select
    dataset,
    market_type,
    market_id,
    timeframe,
    seconds,
    epoch_ms(seen_at) // (512000 * cast(seconds as bigint)) as part,
    min(seen_at) as first_at,
    max(seen_at) as last_at,
    count(*) as rows
  from grid
  group by all
),
broken as materialized (
  select dataset, market_type, market_id, timeframe, part
  from parts
  where rows < (epoch(last_at) - epoch(first_at)) / seconds + 1
),
stretches as (
  select
    dataset,
    market_type,
    market_id,
    timeframe,
    last_at + to_seconds(seconds) as gap_start,
    lead(first_at) over (partition by dataset, market_type, market_id, timeframe order by part) as gap_end
  from parts
  union all
  select
    grid.dataset,
    grid.market_type,
    grid.market_id,
    grid.timeframe,
    seen_at + to_seconds(seconds),
    lead(seen_at) over (
      partition by grid.dataset, grid.market_type, grid.market_id, grid.timeframe, part order by seen_at
    )
  from grid
  inner join broken
    on broken.dataset = grid.dataset
    and broken.market_type = grid.market_type
    and broken.market_id = grid.market_id
    and broken.timeframe = grid.timeframe
    and broken.part = epoch_ms(seen_at) // (512000 * cast(seconds as bigint))
),
settlements as (
  select
    market_id,
    settled_at,
    interval_hours,
    lead(settled_at) over series as next_settled_at,
    lead(interval_hours) over series as next_interval,
    coalesce(lead(interval_hours, 2) over series, next_interval) as interval_after
  from core.funding_rates
  where venue = $venue and settled_at >= $since
  window series as (partition by market_id order by settled_at)
),
unsettled as (
  select
    'funding_rates' as dataset,
    'perp' as market_type,
    market_id,
    '' as timeframe,
    settled_at + to_seconds(3600 * interval_hours) as gap_start,
    next_settled_at as gap_end
  from settlements
  where epoch(next_settled_at) - epoch(settled_at) > 3600 * greatest(interval_hours, interval_after) + 60
)
select dataset, market_type, market_id, timeframe, gap_start, gap_end
from stretches
where gap_end > gap_start
union all
select dataset, market_type, market_id, timeframe, gap_start, gap_end
from unsettled
order by dataset, market_type, market_id, timeframe, gap_start
