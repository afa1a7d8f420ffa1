-- Which promises does the stored whole of core.instruments break, and where?
with judged as (
  select
    {venue: venue, market_type: market_type, market_id: market_id} as key, market_id,
    (amount_step is null or amount_step > 0) and (price_step is null or price_step > 0) as has_possible_steps,
    amount_step is not null and price_step is not null as has_steps,
    is_active
  from core.instruments
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(has_possible_steps, false)) as bad_steps,
    min_by(key, market_id, 3) filter (where not coalesce(has_possible_steps, false)) as bad_steps_rows,
    count(*) filter (where is_active and not has_steps) as no_steps,
    min_by(key, market_id, 3) filter (where is_active and not has_steps) as no_steps_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each market is stored once (venue, market type, market)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'steps_are_positive', severity: 'critical', reason_code: 'not_positive',
    wanted: 'steps of amounts and prices are above 0, or not known',
    offenders: bad_steps, examples: to_json(bad_steps_rows), assets: null},
  {rule: 'active_markets_have_steps', severity: 'warning', reason_code: 'steps_unknown',
    wanted: 'an active market says its steps, so that orders can be rounded',
    offenders: no_steps, examples: to_json(no_steps_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
