-- Which promises does the stored whole of core.macro_series break, and where?
with judged as (
  select
    {provider: provider, series_id: series_id, period_start: period_start} as key, period_start,
    value is null or isfinite(value) as is_finite,
    known_at >= period_start as is_known_after
  from core.macro_series
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_finite, false)) as not_finite,
    min_by(key, period_start, 3) filter (where not coalesce(is_finite, false)) as not_finite_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, period_start, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each day of a series is stored once (provider, series, period_start)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'values_are_finite', severity: 'critical', reason_code: 'not_finite',
    wanted: 'every value is a finite number, or missing where the source says so',
    offenders: not_finite, examples: to_json(not_finite_rows), assets: null},
  {rule: 'known_after_the_day', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no value is known before its day',
    offenders: too_early, examples: to_json(too_early_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
