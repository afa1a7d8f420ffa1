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
    hash(venue, market_type, market_id, timeframe) as series,
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
-- Names cost more to compare than numbers: their hashes find the candidates, the names decide.
alike as (
  select series, open_time
  from judged
  group by series, open_time
  having count(*) > 1
),
repeats as (
  select key, any_value(series) as series, count(*) as times
  from judged
  semi join alike using (series, open_time)
  group by key
  having count(*) > 1
),
repeated as (
  select count(*) as keys, min_by(key, key.open_time, 3) as examples
  from repeats
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
  select
    counted.*,
    (epoch(newest_open) - epoch(first_open)) / seconds + 1 - candles + coalesce(surplus, 0) as missing
  from (
    select series, venue, market_type, market_id, timeframe, any_value(seconds) as seconds, count(*) as candles,
      min(open_time) as first_open, max(open_time) as newest_open
    from judged
    where seconds is not null
    group by series, venue, market_type, market_id, timeframe
  ) as counted
  left join (select series, sum(times - 1) as surplus from repeats group by series) as again using (series)
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
),
-- Histories: each candle against its neighbours, from $since on. A real market returns from no such spike within
-- one candle, and never repeats four prices and a volume (calibrated on eight coins, 2018 to 2026).
neighbours as (
  select
    venue, market_type, market_id, timeframe, base, open_time, base_volume,
    lead(open_time) over series is null as is_newest,
    close / lag(close) over series - 1 as change,
    lead(close) over series / lag(close) over series - 1 as change_across,
    coalesce(
      lag(open) over series = open and lag(high) over series = high and lag(low) over series = low
        and lag(close) over series = close and lag(base_volume) over series = base_volume,
      false
    ) as is_repeat,
    row_number() over series as place
  from core.candles
  inner join lengths using (timeframe)
  where open_time >= $since
  window series as (partition by venue, market_type, market_id, timeframe order by open_time)
),
spiked as (
  select *
  from neighbours
  where abs(change) > $max_spike and abs(change_across) < abs(change) / 3
),
-- Repeats that follow each other have the same distance between their place and their number.
repeating as (
  select *
  from (
    select *,
      row_number() over (
        partition by venue, market_type, market_id, timeframe, place - number order by place
      ) as repeats
    from (
      select *,
        row_number() over (partition by venue, market_type, market_id, timeframe order by place) as number
      from neighbours
      where is_repeat and base_volume > 0
    )
  )
  where repeats >= $max_repeats
),
finest as (
  select venue, market_type, market_id, arg_min(timeframe, seconds) as timeframe
  from held
  where newest_open >= $since
  group by venue, market_type, market_id
),
-- The newest candle has no next one that could confirm it: another market has to.
unconfirmed as (
  select jumped.*
  from neighbours as jumped
  semi join finest using (venue, market_type, market_id, timeframe)
  where is_newest and abs(change) > $max_spike and market_type = 'spot'
    and not exists (
      select 1
      from neighbours as other
      where other.base = jumped.base and other.timeframe = jumped.timeframe
        and other.open_time = jumped.open_time
        and (other.venue, other.market_type, other.market_id)
          <> (jumped.venue, jumped.market_type, jumped.market_id)
        -- Where other venues price the coin, their quorum decides (mart.venue_prices).
        and ((other.market_type = 'spot' and other.venue <> jumped.venue)
          or (sign(other.change) = sign(jumped.change) and abs(other.change) > abs(jumped.change) / 2))
    )
),
hours as (
  select
    venue, market_type, market_id, date_trunc('day', open_time) as open_time,
    arg_min(open, open_time) as open, max(high) as high, min(low) as low, arg_max(close, open_time) as close
  from core.candles
  where timeframe = '1h' and open_time >= $since
  group by venue, market_type, market_id, date_trunc('day', open_time)
  having count(*) = 24
),
differing as (
  select days.venue, days.market_type, days.market_id, days.timeframe, days.base, days.open_time
  from core.candles as days
  inner join hours using (venue, market_type, market_id, open_time)
  where days.timeframe = '1d' and days.open_time >= $since
    and not greatest(
      abs(days.open / hours.open - 1), abs(days.high / hours.high - 1), abs(days.low / hours.low - 1),
      abs(days.close / hours.close - 1)
    ) <= $day_tolerance
),
doubts as (
  select 'spike' as doubt, venue, market_type, market_id, timeframe, base, open_time
  from spiked
  union all
  select 'repeat', venue, market_type, market_id, timeframe, base, open_time
  from repeating
  union all
  select 'unconfirmed', venue, market_type, market_id, timeframe, base, open_time
  from unconfirmed
  union all
  select 'differs', venue, market_type, market_id, timeframe, base, open_time
  from differing
),
-- What is recent touches today's price; a daily spike touches the returns for as long as it is looked back
-- on, unless other venues' prices outvote it.
weighed as (
  select doubts.*,
    {
      venue: venue, market_type: market_type, market_id: market_id, timeframe: timeframe, open_time: open_time
    } as key,
    market_type = 'spot' and (open_time >= $recent or (doubt = 'spike' and timeframe = '1d'))
      and not exists (
        select 1
        from core.candles as other
        where other.market_type = 'spot' and other.base = doubts.base and other.venue <> doubts.venue
          and other.timeframe = doubts.timeframe and other.open_time = doubts.open_time
      ) as touches_decisions
  from doubts
),
histories as (
  select
    count(*) filter (where doubt = 'spike') as spikes,
    list(key order by open_time desc) filter (where doubt = 'spike') as spike_rows,
    list_sort(list(distinct base) filter (where doubt = 'spike' and touches_decisions)) as spike_assets,
    count(*) filter (where doubt = 'repeat') as repeats,
    list(key order by open_time desc) filter (where doubt = 'repeat') as repeat_rows,
    list_sort(list(distinct base) filter (where doubt = 'repeat' and touches_decisions)) as repeat_assets,
    count(*) filter (where doubt = 'unconfirmed') as unconfirmed,
    list(key order by open_time desc) filter (where doubt = 'unconfirmed') as unconfirmed_rows,
    list_sort(list(distinct base) filter (where doubt = 'unconfirmed')) as unconfirmed_assets,
    count(*) filter (where doubt = 'differs') as differing,
    list(key order by open_time desc) filter (where doubt = 'differs') as differing_rows,
    list_sort(list(distinct base) filter (where doubt = 'differs' and touches_decisions)) as differing_assets
  from weighed
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
    offenders: untold.series, examples: to_json(untold.examples), assets: null},
  {rule: 'no_spike_of_one_candle', severity: 'warning', reason_code: 'price_spike',
    wanted: 'no close jumps away and is back one candle later',
    offenders: spikes, examples: to_json(spike_rows[:$examples]), assets: spike_assets},
  {rule: 'newest_jump_is_confirmed', severity: 'warning', reason_code: 'unconfirmed_move',
    wanted: 'a jump of the newest candle is seen on another market too, or by the next candle',
    offenders: histories.unconfirmed, examples: to_json(unconfirmed_rows[:$examples]),
    assets: unconfirmed_assets},
  {rule: 'no_candle_repeats', severity: 'warning', reason_code: 'frozen_feed',
    wanted: 'candles that follow each other do not repeat their four prices and their volume',
    offenders: histories.repeats, examples: to_json(repeat_rows[:$examples]), assets: repeat_assets},
  {rule: 'days_agree_with_their_hours', severity: 'warning', reason_code: 'shifted_series',
    wanted: 'a daily candle has the prices of its 24 hours (a series shifted by an hour has not)',
    offenders: differing, examples: to_json(differing_rows[:$examples]), assets: differing_assets}
], recursive := true), total as rows_judged
from rows_judged, repeated, frozen, untold, histories
