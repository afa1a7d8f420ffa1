-- Which promises does the stored whole of core.protocol_metrics break, and where?
with judged as (
  select
    {
      provider: provider, entity_kind: entity_kind, entity: entity, metric: metric, period_start: period_start
    } as key,
    period_start,
    isfinite(value) and (value >= 0 or metric = 'revenue_usd') as is_possible,
    metric = 'tvl_usd' and value = 0 and lag(value) over (
      partition by provider, entity_kind, entity, metric order by period_start
    ) > 0 as is_fall_to_zero,
    known_at >= period_start as is_known_after
  from core.protocol_metrics
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_possible, false)) as impossible,
    min_by(key, period_start, 3) filter (where not coalesce(is_possible, false)) as impossible_rows,
    count(*) filter (where coalesce(is_fall_to_zero, false)) as zeroed,
    max_by(key, period_start, 3) filter (where coalesce(is_fall_to_zero, false)) as zeroed_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, period_start, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows
  from judged
),
-- Against what was known some days ago: a source that rewrites its past is told, never followed silently.
restated as (
  select
    count(*) as days,
    max_by({provider: provider, entity_kind: entity_kind, entity: entity, metric: metric, period_start: period_start, was: known.value, is_now: now.value}, period_start, 3) as examples
  from core.protocol_metrics as now
  inner join core.protocol_metrics_at($recent, 9223372036854775807) as known
    using (provider, entity_kind, entity, metric, period_start)
  where now.known_at > $recent
    and period_start < $recent - interval 7 days
    and not abs(now.value - known.value) <= 0.05 * abs(known.value)
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each day of a series is stored once (provider, kind, entity, metric, period_start)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'values_are_possible', severity: 'critical', reason_code: 'negative_value',
    wanted: 'every value is finite and at least 0 (revenue may be negative)',
    offenders: impossible, examples: to_json(impossible_rows), assets: null},
  {rule: 'known_after_the_day', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no value is known before its day',
    offenders: too_early, examples: to_json(too_early_rows), assets: null},
  {rule: 'no_fall_to_zero', severity: 'warning', reason_code: 'zero_after_value',
    wanted: 'value locked does not fall to 0 (a broken adapter looks like this)',
    offenders: zeroed, examples: to_json(zeroed_rows), assets: null},
  {rule: 'history_is_not_restated', severity: 'warning', reason_code: 'restated_history',
    wanted: 'values older than a week do not change by more than 5 % after they were told',
    offenders: restated.days, examples: to_json(restated.examples), assets: null}
], recursive := true), total as rows_judged
from rows_judged, restated
