-- Every version of every funding settlement of a perpetual contract.
--
-- key: venue, market_id, settled_at
-- time: settled_at
-- venue            | exchange, by its ccxt id                                          | not null
-- market_id        | the venue's own market id                                         | not null
-- symbol           | ccxt's unified symbol, for reading only                           | not null
-- base             | the asset of the contract                                         | not null
-- settled_at       | instant of the settlement, UTC                                    | not null
-- funding_rate     | fraction of notional that longs pay to shorts; negative: shorts pay | finite
-- interval_hours   | hours this settlement covers (1, 4 or 8)                          | > 0 or null
-- mark_price       | mark price at the settlement, in quote                            | > 0 or null
-- known_at         | when a user of the source could first have had this version, UTC  | not null, >= settled_at
-- is_reconstructed | true: known_at is derived from the publication lag, not observed  | not null
-- load_id          | the load that brought this version                                | not null
create table raw.funding_rates (
  venue varchar not null,
  market_id varchar not null,
  symbol varchar not null,
  base varchar not null,
  settled_at timestamp not null,
  funding_rate double,
  interval_hours double,
  mark_price double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
