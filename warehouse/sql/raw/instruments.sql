-- Every version of every market's trading rules: steps, minimums, fees, expiry.
--
-- key: venue, market_type, market_id
-- venue         | exchange, by its ccxt id                                          | not null
-- market_id     | the venue's own market id                                         | not null
-- symbol        | ccxt's unified symbol, for reading only                           | not null
-- base          | the asset that is traded                                          | not null
-- quote         | the asset the price is in                                         | not null
-- market_type   | spot, perp, future or option                                      | not null
-- contract_size | base per contract; 1 for spot                                     | > 0 or null
-- amount_step   | smallest step of an order's quantity, in base or contracts        | > 0 or null
-- price_step    | smallest step of a price, in quote                                | > 0 or null
-- min_amount    | smallest quantity of an order, in base or contracts               | >= 0 or null
-- min_cost      | smallest notional of an order, in quote                           | >= 0 or null
-- maker_fee     | fee of a resting order, fraction of notional                      | -0.01 to 0.05 or null
-- taker_fee     | fee of an immediate order, fraction of notional                   | -0.01 to 0.05 or null
-- expires_at    | when the market closes, UTC: delivery, or a delisting that the venue has announced; else null |
-- is_active     | the venue accepts orders                                          | not null
-- known_at      | when this version was read, UTC                                   | not null
-- load_id       | the load that brought this version                                | not null
create table raw.instruments (
  venue varchar not null,
  market_id varchar not null,
  symbol varchar not null,
  base varchar not null,
  quote varchar not null,
  market_type varchar not null,
  contract_size double,
  amount_step decimal(38, 18),
  price_step decimal(38, 18),
  min_amount decimal(38, 18),
  min_cost decimal(38, 18),
  maker_fee double,
  taker_fee double,
  expires_at timestamp,
  is_active boolean not null,
  known_at timestamp not null,
  load_id bigint not null
)
