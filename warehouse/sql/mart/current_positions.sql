-- What each portfolio holds now: the rows of its newest statement.
--
-- key: portfolio, venue, account, kind, asset
-- columns: core.positions
with newest as (
  select portfolio, arg_max(statement_id, (as_of, known_at, load_id, statement_id)) as statement_id
  from core.positions
  group by portfolio
)
select
  positions.portfolio,
  positions.statement_id,
  positions.venue,
  positions.account,
  positions.kind,
  positions.asset,
  positions.quantity,
  positions.entry_price,
  positions.margin,
  positions.margin_mode,
  positions.leverage,
  positions.cost_basis_usd,
  positions.is_immovable,
  positions.as_of,
  positions.known_at,
  positions.load_id,
  positions.market_id,
  positions.quote
from core.positions as positions
inner join newest using (portfolio, statement_id)
