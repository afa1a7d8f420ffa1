-- Leverage brackets that are in force: what a venue wants at which size of a position.
--
-- key: venue, market_type, market_id, bracket
-- venue                   | exchange, by its ccxt id                                          | not null
-- market_id               | the venue's own market id                                         | not null
-- symbol                  | ccxt's unified symbol, for reading only                           | not null
-- base                    | the asset of the contract                                         | not null
-- market_type             | perp or future                                                    | not null
-- bracket                 | number of the bracket, from 1 for the smallest positions          | >= 1
-- notional_floor          | the bracket begins at this notional, in quote                     | >= 0
-- notional_cap            | and ends at this one, in quote; null: no end                      |
-- maintenance_margin_rate | margin below which a position is liquidated, fraction of notional | 0 to 1
-- max_leverage            | highest leverage allowed                                          |
-- known_at                | when this version was read, UTC                                   | not null
with newest as (
  -- The first bracket always exists; how many there are is written on it.
  select venue, market_type, market_id, brackets as in_force
  from core.leverage_brackets
  where bracket = 1
)
select
  venue, market_id, symbol, base, market_type, bracket, notional_floor, notional_cap, maintenance_margin_rate,
  max_leverage, known_at
from core.leverage_brackets
inner join newest using (venue, market_type, market_id)
where bracket <= in_force
