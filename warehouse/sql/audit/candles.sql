-- Which promises does the stored whole of core.candles break, and where?
with lengths (timeframe, seconds) as (
  values ('1m', 60), ('3m', 180), ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200),
    ('4h', 14400), ('6h', 21600), ('8h', 28800), ('12h', 43200), ('1d', 86400), ('3d', 259200), ('1w', 604800)
),
judged as (
  select
    {
      venue: venue, market_type: market_type, market_id: market_id, timeframe: timeframe, open_time: open_time
    } as key,
    venue, market_type, market_id, timeframe, base, open_time, close, base_volume, seconds,
    isfinite(open) and open > 0 and isfinite(high) and high > 0 and isfinite(low) and low > 0
      and isfinite(close) and close > 0 as is_positive,
    isfinite(low) and low <= least(open, close)
      and isfinite(high) and high >= greatest(open, close) as is_consistent,
    (base_volume is null or (isfinite(base_volume) and base_volume >= 0))
      and (quote_volume is null or (isfinite(quote_volume) and quote_volume >= 0)) as has_possible_volume,
    seconds is null or timeframe = '1w' or epoch(open_time) % seconds = 0 as is_on_grid,
    seconds is null or known_at >= open_time + to_seconds(seconds) as is_known_after_close
  from core.candles
  left join lengths using (timeframe)
),
rows_judged as (
  select
    count(*) as total,
    count(*) filter (where not coalesce(is_positive, false)) as not_positive,
    min_by(key, open_time, 3)
      filter (where not coalesce(is_positive, false)) as not_positive_rows,
    count(*) filter (where not coalesce(is_consistent, false)) as inconsistent,
    min_by(key, open_time, 3)
      filter (where not coalesce(is_consistent, false)) as inconsistent_rows,
    count(*) filter (where not coalesce(has_possible_volume, false)) as bad_volume,
    min_by(key, open_time, 3)
      filter (where not coalesce(has_possible_volume, false)) as bad_volume_rows,
    count(*) filter (where not coalesce(is_on_grid, false)) as off_grid,
    min_by(key, open_time, 3)
      filter (where not coalesce(is_on_grid, false)) as off_grid_rows,
    count(*) filter (where not coalesce(is_known_after_close, false)) as too_early,
    min_by(key, open_time, 3)
      filter (where not coalesce(is_known_after_close, false)) as too_early_rows
  from judged
),
repeated as (
  select count(*) as keys, min_by(key, key.open_time, 3) as examples
  from (
    select key
    from judged
    group by key
    having count(*) > 1
  )
),
-- Frozen: the newest candles (a day of them, at least 5) all closed at one price without any volume.
newest as (
  select
    venue, market_type, market_id, timeframe, base,
    greatest(5, 86400 // any_value(seconds)) as day_of_candles,
    max_by({close: close, volume: coalesce(base_volume, 0)}, open_time, 96) as candles
  from judged
  where seconds >= 900
  group by venue, market_type, market_id, timeframe, base
),
frozen as (
  select
    count(*) as series,
    min_by({venue: venue, market_type: market_type, market_id: market_id, timeframe: timeframe}, market_id, 3)
      as examples,
    list_sort(list(distinct base)) as assets
  from newest
  where len(candles) >= day_of_candles
    and len(list_distinct([candle.close for candle in candles[:day_of_candles]])) = 1
    and list_sum([candle.volume for candle in candles[:day_of_candles]]) = 0
),
-- What lies between the first and the newest candle and is not there must be written down as a gap.
held as (
  select venue, market_type, market_id, timeframe, any_value(seconds) as seconds,
    (epoch(max(open_time)) - epoch(min(open_time))) / any_value(seconds) + 1
      - count(distinct open_time) as missing
  from judged
  where seconds is not null
  group by venue, market_type, market_id, timeframe
),
recorded as (
  select venue, market_type, market_id, timeframe, sum(epoch(gap_end) - epoch(gap_start)) as gap_seconds
  from ops.gaps
  where dataset = 'candles' and status <> 'closed'
  group by all
),
untold as (
  select
    count(*) as series,
    min_by(
      {venue: venue, market_type: market_type, market_id: market_id, timeframe: timeframe, missing: missing},
      market_id, 3
    ) as examples
  from held
  left join recorded using (venue, market_type, market_id, timeframe)
  where round(missing) > round(coalesce(gap_seconds, 0) / seconds)
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each candle is stored once (venue, market type, market, timeframe, open_time)',
    offenders: keys, examples: to_json(repeated.examples), assets: null::varchar[]},
  {rule: 'prices_are_positive', severity: 'critical', reason_code: 'not_positive',
    wanted: 'open, high, low and close are finite and above 0',
    offenders: not_positive, examples: to_json(not_positive_rows), assets: null},
  {rule: 'prices_are_consistent', severity: 'critical', reason_code: 'ohlc_inconsistent',
    wanted: 'low is the lowest and high the highest of the four prices',
    offenders: inconsistent, examples: to_json(inconsistent_rows), assets: null},
  {rule: 'volumes_are_possible', severity: 'critical', reason_code: 'negative_value',
    wanted: 'volumes are finite and at least 0, or not known',
    offenders: bad_volume, examples: to_json(bad_volume_rows), assets: null},
  {rule: 'open_time_is_on_grid', severity: 'critical', reason_code: 'off_grid',
    wanted: 'candles open on whole multiples of their timeframe',
    offenders: off_grid, examples: to_json(off_grid_rows), assets: null},
  {rule: 'known_after_close', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no candle is known before it closed',
    offenders: too_early, examples: to_json(too_early_rows), assets: null},
  {rule: 'newest_candles_move', severity: 'warning', reason_code: 'frozen_feed',
    wanted: 'the newest day of candles (at least 5) is not one price without any volume',
    offenders: frozen.series, examples: to_json(frozen.examples), assets: frozen.assets},
  {rule: 'gaps_are_recorded', severity: 'warning', reason_code: 'unrecorded_gap',
    wanted: 'every missing candle lies in a gap that ops.gaps tells',
    offenders: untold.series, examples: to_json(untold.examples), assets: null}
], recursive := true), total as rows_judged
from rows_judged, repeated, frozen, untold
