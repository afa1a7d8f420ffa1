-- Which promises does the stored whole of core.incidents break, and where?
with judged as (
  select
    {provider: provider, occurred_at: occurred_at, incident_id: incident_id} as key, occurred_at,
    (amount_usd is null or (isfinite(amount_usd) and amount_usd >= 0))
    and (returned_usd is null or (isfinite(returned_usd) and returned_usd >= 0)) as has_possible_amounts,
    known_at >= occurred_at as is_known_after
  from core.incidents
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(has_possible_amounts, false)) as bad_amount,
    min_by(key, occurred_at, 3) filter (where not coalesce(has_possible_amounts, false)) as bad_amount_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, occurred_at, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each incident is stored once (provider, occurred_at, incident_id)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'amounts_are_possible', severity: 'critical', reason_code: 'negative_value',
    wanted: 'what was lost and what came back is finite and at least 0, or not known',
    offenders: bad_amount, examples: to_json(bad_amount_rows), assets: null},
  {rule: 'known_after_it_happened', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no incident is known before its day',
    offenders: too_early, examples: to_json(too_early_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
