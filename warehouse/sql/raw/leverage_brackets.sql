-- Every version of every leverage bracket: what a venue wants at which size of a position.
--
-- key: venue, market_type, market_id, bracket
-- venue                   | exchange, by its ccxt id                                           | not null
-- market_id               | the venue's own market id                                          | not null
-- symbol                  | ccxt's unified symbol, for reading only                            | not null
-- base                    | the asset of the contract                                          | not null
-- market_type             | perp or future                                                     | not null
-- bracket                 | number of the bracket, from 1 for the smallest positions           | >= 1
-- brackets                | how many brackets the market had when this version was read        | >= bracket
-- notional_floor          | the bracket begins at this notional, in quote                      | >= 0
-- notional_cap            | and ends at this one, in quote; null: no end                       | > notional_floor or null
-- maintenance_margin_rate | margin below which a position is liquidated, fraction of notional  | 0 to 1
-- max_leverage            | highest leverage allowed                                           | >= 1 or null
-- known_at                | when this version was read, UTC                                    | not null
-- load_id                 | the load that brought this version                                 | not null
create table raw.leverage_brackets (
  venue varchar not null,
  market_id varchar not null,
  symbol varchar not null,
  base varchar not null,
  market_type varchar not null,
  bracket integer not null,
  brackets integer,
  notional_floor double,
  notional_cap double,
  maintenance_margin_rate double,
  max_leverage double,
  known_at timestamp not null,
  load_id bigint not null
)
