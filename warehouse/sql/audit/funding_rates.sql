-- Which promises does the stored whole of core.funding_rates break, and where?
with judged as (
  select
    {venue: venue, market_id: market_id, settled_at: settled_at} as key, settled_at,
    isfinite(funding_rate) and funding_rate between -0.1 and 0.1 as is_plausible,
    isfinite(interval_hours) and interval_hours > 0 and interval_hours <= 24 as has_interval,
    known_at >= settled_at as is_known_after,
    epoch(settled_at)
      - epoch(lag(settled_at) over (partition by venue, market_id order by settled_at)) as seconds_since,
    lag(interval_hours) over (partition by venue, market_id order by settled_at) as interval_before,
    interval_hours
  from core.funding_rates
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_plausible, false)) as implausible,
    min_by(key, settled_at, 3) filter (where not coalesce(is_plausible, false)) as implausible_rows,
    count(*) filter (where not coalesce(has_interval, false)) as no_interval,
    min_by(key, settled_at, 3) filter (where not coalesce(has_interval, false)) as no_interval_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, settled_at, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows,
    count(*) filter (where seconds_since > 1.5 * 3600 * greatest(interval_hours, interval_before)) as skipped,
    min_by(key, settled_at, 3)
      filter (where seconds_since > 1.5 * 3600 * greatest(interval_hours, interval_before)) as skipped_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each settlement is stored once (venue, market, settled_at)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'rate_is_plausible', severity: 'critical', reason_code: 'implausible_rate',
    wanted: 'a rate is finite and between -10 % and 10 % a settlement',
    offenders: implausible, examples: to_json(implausible_rows), assets: null},
  {rule: 'interval_is_known', severity: 'critical', reason_code: 'implausible_interval',
    wanted: 'the interval lies above 0 and is at most 24 hours',
    offenders: no_interval, examples: to_json(no_interval_rows), assets: null},
  {rule: 'known_after_settlement', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no settlement is known before it happened',
    offenders: too_early, examples: to_json(too_early_rows), assets: null},
  {rule: 'no_settlement_is_missing', severity: 'warning', reason_code: 'missing_settlement',
    wanted: 'settlements follow each other at their interval, whatever it is at the time',
    offenders: skipped, examples: to_json(skipped_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
