-- Which promises does the stored whole of core.cash_flows break, and where?
with judged as (
  select
    {portfolio: portfolio, flow_id: flow_id, statement_id: statement_id} as key,
    known_at,
    isfinite(quantity)
      and sign(quantity) in (0, case when kind in ('deposit', 'income') then 1 else -1 end)
      and kind in ('deposit', 'income', 'withdrawal', 'fee') as has_possible_quantity,
    value_usd is null or (isfinite(value_usd) and sign(value_usd) * sign(quantity) >= 0) as has_possible_value
  from core.cash_flows
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(has_possible_quantity, false)) as bad_quantity,
    min_by(key, known_at, 3) filter (where not coalesce(has_possible_quantity, false)) as bad_quantity_rows,
    count(*) filter (where not coalesce(has_possible_value, false)) as bad_value,
    min_by(key, known_at, 3) filter (where not coalesce(has_possible_value, false)) as bad_value_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each version of a flow is stored once',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'quantities_have_their_sign', severity: 'critical', reason_code: 'wrong_sign',
    wanted: 'deposits and income are not negative, withdrawals and fees not positive',
    offenders: bad_quantity, examples: to_json(bad_quantity_rows), assets: null},
  {rule: 'values_have_the_sign_of_quantities', severity: 'critical', reason_code: 'wrong_sign',
    wanted: 'a value in US dollars is finite and has the sign of its quantity',
    offenders: bad_value, examples: to_json(bad_value_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
