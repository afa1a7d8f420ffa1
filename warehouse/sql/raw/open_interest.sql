-- Every version of every hourly point of a perpetual contract's open interest.
--
-- key: venue, market_type, market_id, observed_at
-- time: observed_at
-- venue               | exchange, by its ccxt id                                          | not null
-- market_id           | the venue's own market id                                         | not null
-- symbol              | ccxt's unified symbol, for reading only                           | not null
-- base                | the asset of the contract                                         | not null
-- quote               | the asset the price is in                                         | not null
-- market_type         | perp or future                                                    | not null
-- observed_at         | instant at which so much was open, UTC                            | not null
-- open_interest       | open contracts, one side, in base; null: the venue gives only the value | >= 0 or null
-- open_interest_quote | the same valued at the mark price, in quote                       | >= 0 or null
-- known_at            | when a user of the source could first have had this version, UTC  | not null, >= observed_at
-- is_reconstructed    | true: known_at is derived from the publication lag, not observed  | not null
-- load_id             | the load that brought this version                                | not null
create table raw.open_interest (
  venue varchar not null,
  market_id varchar not null,
  symbol varchar not null,
  base varchar not null,
  quote varchar not null,
  market_type varchar not null,
  observed_at timestamp not null,
  open_interest double,
  open_interest_quote double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
