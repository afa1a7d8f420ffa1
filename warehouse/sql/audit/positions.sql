-- Which promises does the stored whole of core.positions break, and where?
with judged as (
  select
    {
      portfolio: portfolio, statement_id: statement_id, venue: venue, account: account,
      kind: kind, asset: asset, market_id: market_id
    } as key,
    known_at,
    isfinite(quantity) and (quantity >= 0 or kind in ('perp', 'future', 'option')) as has_possible_quantity
  from core.positions
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(has_possible_quantity, false)) as bad_quantity,
    min_by(key, known_at, 3) filter (where not coalesce(has_possible_quantity, false)) as bad_quantity_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each position of a statement is stored once',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'quantities_are_possible', severity: 'critical', reason_code: 'negative_holding',
    wanted: 'a quantity is finite, and negative only for a perpetual, future or option',
    offenders: bad_quantity, examples: to_json(bad_quantity_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
