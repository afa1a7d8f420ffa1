-- Which promises does the stored whole of core.implied_volatility break, and where?
with judged as (
  select
    {venue: venue, market_id: market_id, observed_at: observed_at} as key, observed_at,
    isfinite(implied_volatility) and implied_volatility > 0 and implied_volatility <= 10 as is_possible,
    kind = 'index' or (expires_at > observed_at and isfinite(strike) and strike > 0) as is_described,
    delta is null or (isfinite(delta) and delta between -1 and 1
      and case option_type when 'call' then delta >= 0 else delta <= 0 end)
      as has_possible_greeks,
    known_at >= observed_at as is_known_after
  from core.implied_volatility
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_possible, false)) as impossible,
    min_by(key, observed_at, 3) filter (where not coalesce(is_possible, false)) as impossible_rows,
    count(*) filter (where not coalesce(is_described, false)) as undescribed,
    min_by(key, observed_at, 3) filter (where not coalesce(is_described, false)) as undescribed_rows,
    count(*) filter (where not coalesce(has_possible_greeks, false)) as bad_greeks,
    min_by(key, observed_at, 3) filter (where not coalesce(has_possible_greeks, false)) as bad_greeks_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, observed_at, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each value is stored once (venue, market, observed_at)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'volatility_is_possible', severity: 'critical', reason_code: 'implausible_volatility',
    wanted: 'a volatility is finite, above 0 and at most 1000 % a year',
    offenders: impossible, examples: to_json(impossible_rows), assets: null},
  {rule: 'options_are_described', severity: 'critical', reason_code: 'option_unknown',
    wanted: 'an option has a strike and expires after it was read',
    offenders: undescribed, examples: to_json(undescribed_rows), assets: null},
  {rule: 'greeks_are_possible', severity: 'critical', reason_code: 'implausible_greeks',
    wanted: 'delta lies between 0 and 1 for a call and between -1 and 0 for a put',
    offenders: bad_greeks, examples: to_json(bad_greeks_rows), assets: null},
  {rule: 'known_after_the_instant', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no value is known before its instant',
    offenders: too_early, examples: to_json(too_early_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
