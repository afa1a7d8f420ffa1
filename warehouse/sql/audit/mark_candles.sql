-- Which promises does the stored whole of core.mark_candles break, and where?
with lengths (timeframe, seconds) as (
  values ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200), ('4h', 14400), ('6h', 21600), ('8h', 28800),
    ('12h', 43200), ('1d', 86400)
),
judged as (
  select
    {
      venue: venue, market_type: market_type, market_id: market_id, timeframe: timeframe, open_time: open_time
    } as key,
    open_time,
    isfinite(open) and open > 0 and isfinite(high) and high > 0 and isfinite(low) and low > 0
      and isfinite(close) and close > 0 as is_positive,
    isfinite(low) and low <= least(open, close)
      and isfinite(high) and high >= greatest(open, close) as is_consistent,
    seconds is null or known_at >= open_time + to_seconds(seconds) as is_known_after_close
  from core.mark_candles
  left join lengths using (timeframe)
),
apart as (
  select
    count(*) as markets,
    list({venue: venue, market_id: market_id, open_time: open_time, mark: mark, traded: traded}
      order by open_time desc) as examples,
    list_sort(list(distinct base)) as assets
  from (
    select
      mark.venue, mark.market_id, any_value(mark.base) as base, max(mark.open_time) as open_time,
      arg_max(mark.close, mark.open_time) as mark, arg_max(traded.close, mark.open_time) as traded
    from core.mark_candles as mark
    inner join core.candles as traded
      using (venue, market_type, market_id, timeframe, open_time)
    group by mark.venue, mark.market_id
  )
  where not coalesce(isfinite(mark / traded) and mark / traded between 0.95 and 1.05, false)
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_positive, false)) as not_positive,
    min_by(key, open_time, 3) filter (where not coalesce(is_positive, false)) as not_positive_rows,
    count(*) filter (where not coalesce(is_consistent, false)) as inconsistent,
    min_by(key, open_time, 3) filter (where not coalesce(is_consistent, false)) as inconsistent_rows,
    count(*) filter (where not coalesce(is_known_after_close, false)) as too_early,
    min_by(key, open_time, 3) filter (where not coalesce(is_known_after_close, false)) as too_early_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each candle is stored once (venue, market type, market, timeframe, open_time)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'prices_are_positive', severity: 'critical', reason_code: 'not_positive',
    wanted: 'every price is finite and above 0',
    offenders: not_positive, examples: to_json(not_positive_rows), assets: null},
  {rule: 'prices_are_consistent', severity: 'critical', reason_code: 'ohlc_inconsistent',
    wanted: 'low is the lowest and high the highest price',
    offenders: inconsistent, examples: to_json(inconsistent_rows), assets: null},
  {rule: 'known_after_the_close', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no candle is known before it closed',
    offenders: too_early, examples: to_json(too_early_rows), assets: null},
  {rule: 'mark_is_near_the_price', severity: 'warning', reason_code: 'mark_far_from_price',
    wanted: 'the newest mark price of each contract is within 5 % of its traded price',
    offenders: apart.markets, examples: to_json(apart.examples), assets: apart.assets}
], recursive := true), total as rows_judged
from rows_judged, apart
