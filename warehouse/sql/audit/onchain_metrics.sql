-- Which promises does the stored whole of core.onchain_metrics break, and where?
with judged as (
  select
    {provider: provider, asset: asset, metric: metric, period_start: period_start} as key, period_start,
    isfinite(value) as is_finite,
    isfinite(value) and (metric not in ('PriceUSD', 'ReferenceRateUSD') or value > 0) as is_price,
    period_start = date_trunc('day', period_start) as is_day,
    known_at >= period_start + interval 1 day as is_known_after
  from core.onchain_metrics
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_finite, false)) as not_finite,
    min_by(key, period_start, 3) filter (where not coalesce(is_finite, false)) as not_finite_rows,
    count(*) filter (where not coalesce(is_price, false)) as no_price,
    min_by(key, period_start, 3) filter (where not coalesce(is_price, false)) as no_price_rows,
    count(*) filter (where not coalesce(is_day, false)) as off_grid,
    min_by(key, period_start, 3) filter (where not coalesce(is_day, false)) as off_grid_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, period_start, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows
  from judged
),
-- Against what was known some days ago: a source that rewrites its past is told, never followed silently.
restated as (
  select
    count(*) as days,
    max_by({provider: provider, asset: asset, metric: metric, period_start: period_start, was: known.value, is_now: now.value}, period_start, 3) as examples
  from core.onchain_metrics as now
  inner join core.onchain_metrics_at($recent, 9223372036854775807) as known
    using (provider, asset, metric, period_start)
  where now.known_at > $recent
    and period_start < $recent - interval 7 days
    and not abs(now.value - known.value) <= 0.05 * abs(known.value)
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each day of a metric is stored once (provider, asset, metric, period_start)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'values_are_finite', severity: 'critical', reason_code: 'not_finite',
    wanted: 'every value is a finite number',
    offenders: not_finite, examples: to_json(not_finite_rows), assets: null},
  {rule: 'prices_are_positive', severity: 'critical', reason_code: 'not_positive',
    wanted: 'reference prices are above 0',
    offenders: no_price, examples: to_json(no_price_rows), assets: null},
  {rule: 'days_are_whole', severity: 'critical', reason_code: 'off_grid',
    wanted: 'a day is stored under 00:00 UTC',
    offenders: off_grid, examples: to_json(off_grid_rows), assets: null},
  {rule: 'known_after_the_day', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no day is known before it ended',
    offenders: too_early, examples: to_json(too_early_rows), assets: null},
  {rule: 'history_is_not_restated', severity: 'warning', reason_code: 'restated_history',
    wanted: 'values older than a week do not change by more than 5 % after they were told',
    offenders: restated.days, examples: to_json(restated.examples), assets: null}
], recursive := true), total as rows_judged
from rows_judged, restated
