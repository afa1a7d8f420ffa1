-- What bench_gate.py compares the audit of core.candles with: the same rules, counted, as one would write them by hand.
with lengths (timeframe, seconds) as (values ('1h', 3600), ('1d', 86400)),
neighbours as (
  select *,
    lag(close) over series as before, lead(close) over series as after,
    lag(open) over series = open and lag(high) over series = high and lag(low) over series = low
      and lag(close) over series = close and lag(base_volume) over series = base_volume as repeats
  from core.candles where open_time >= $since
  window series as (partition by venue, market_type, market_id, timeframe order by open_time)
),
again as (
  select repeats and base_volume > 0
    and lag(repeats) over (partition by venue, market_type, market_id, timeframe order by open_time) as twice
  from neighbours
)
select 'key_is_unique', count(*) from (
  select 1 from core.candles group by venue, market_type, market_id, timeframe, open_time having count(*) > 1)
union all
select unnest(['prices_are_positive','prices_are_consistent','volumes_are_possible','open_time_is_on_grid','known_after_close']),
 unnest([
  count(*) filter (where not coalesce(isfinite(open) and open > 0 and isfinite(high) and high > 0 and isfinite(low) and low > 0 and isfinite(close) and close > 0, false)),
  count(*) filter (where not coalesce(low <= least(open, close) and high >= greatest(open, close), false)),
  count(*) filter (where not coalesce((base_volume is null or (isfinite(base_volume) and base_volume >= 0)) and (quote_volume is null or (isfinite(quote_volume) and quote_volume >= 0)), false)),
  count(*) filter (where epoch(open_time) % seconds <> 0),
  count(*) filter (where known_at < open_time + to_seconds(seconds))])
from core.candles join lengths using (timeframe)
union all
select 'newest_candles_move', count(*) from (
  select 1 from (
    select *, row_number() over (partition by venue, market_type, market_id, timeframe order by open_time desc) as place from core.candles) as placed
  join lengths using (timeframe)
  where place <= greatest(5, 86400 // seconds)
  group by venue, market_type, market_id, timeframe having min(close) = max(close) and sum(coalesce(base_volume, 0)) = 0)
union all
select 'gaps_are_recorded', count(*) from (
  select 1 from core.candles join lengths using (timeframe)
  left join (select venue, market_type, market_id, timeframe, sum(epoch(gap_end) - epoch(gap_start)) as gap from ops.gaps where dataset = 'candles' and status <> 'closed' group by all) using (venue, market_type, market_id, timeframe)
  group by venue, market_type, market_id, timeframe
  having (epoch(max(open_time)) - epoch(min(open_time))) / any_value(seconds) + 1 - count(*) > coalesce(any_value(gap), 0) / any_value(seconds))
union all
select 'no_spike_of_one_candle', count(*) from neighbours where abs(close / before - 1) > $max_spike and abs(after / before - 1) < abs(close / before - 1) / 3
union all
select 'newest_jump_is_confirmed', count(*) from neighbours where after is null and abs(close / before - 1) > $max_spike
union all
select 'no_candle_repeats', count(*) from again where twice
union all
select 'days_agree_with_their_hours', count(*) from core.candles as days join (
  select venue, market_type, market_id, date_trunc('day', open_time) as day, arg_min(open, open_time) as open, max(high) as high, min(low) as low, arg_max(close, open_time) as close
  from core.candles where timeframe = '1h' and open_time >= $since group by all having count(*) = 24) as hours
  on hours.venue = days.venue and hours.market_type = days.market_type and hours.market_id = days.market_id and hours.day = days.open_time
  where days.timeframe = '1d' and days.open_time >= $since and (abs(days.open / hours.open - 1) > $day_tolerance or abs(days.high / hours.high - 1) > $day_tolerance or abs(days.low / hours.low - 1) > $day_tolerance or abs(days.close / hours.close - 1) > $day_tolerance)
