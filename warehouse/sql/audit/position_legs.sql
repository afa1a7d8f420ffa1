-- Which promises does the stored whole of core.position_legs break, and where?
with legs as (
  select portfolio, statement_id, venue, account, kind, asset, market_id, sum(quantity) as quantity, count(*) as parts,
    count(distinct sleeve) as sleeves, max(known_at) as known_at
  from core.position_legs
  group by all
),
judged as (
  select
    {
      portfolio: portfolio, statement_id: statement_id, venue: venue, account: account, kind: kind, asset: asset,
      market_id: market_id
    } as key,
    legs.known_at,
    legs.parts = legs.sleeves as is_once,
    -- Parts add up to the position, but for the last digit of a sum of doubles.
    said.quantity is not null
      and abs(legs.quantity - said.quantity) <= 1e-9 * greatest(abs(said.quantity), 1e-9) as adds_up,
    legs.parts
  from legs
  left join (
    select portfolio, statement_id, venue, account, kind, asset, coalesce(market_id, '') as market_id, quantity
    from core.positions
  ) as said using (portfolio, statement_id, venue, account, kind, asset, market_id)
),
rows_judged as (
  select
    coalesce(sum(parts), 0)::bigint as total,
    count(*) filter (where not is_once) as repeated,
    count(*) filter (where not coalesce(adds_up, false)) as uneven,
    min_by(key, known_at, 3) filter (where not coalesce(adds_up, false)) as uneven_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each part of a position is stored once per line',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'parts_add_up', severity: 'critical', reason_code: 'inconsistent_positions',
    wanted: 'the parts of a position add up to it',
    offenders: uneven, examples: to_json(uneven_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
