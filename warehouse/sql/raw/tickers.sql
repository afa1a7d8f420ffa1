-- Best prices, last trade and a day's volume of markets at the moments they were read.
--
-- key: venue, market_type, market_id, observed_at
-- time: observed_at
-- venue            | exchange, by its ccxt id                                              | not null
-- market_id        | the venue's own market id                                             | not null
-- symbol           | ccxt's unified symbol, for reading only                               | not null
-- base             | the asset that is traded                                              | not null
-- quote            | the asset the price is in                                             | not null
-- market_type      | spot, perp, future or option                                          | not null
-- observed_at      | instant at which it was read, UTC                                     | not null
-- bid              | best bid, in quote; null where the venue does not tell                | > 0 or null
-- ask              | best ask, in quote; null where the venue does not tell                | >= bid or null
-- last             | price of the last trade, in quote                                     | > 0 or null
-- base_volume_24h  | traded in the 24 hours before, in base; null where it is not known    | >= 0 or null
-- quote_volume_24h | the same in quote                                                     | >= 0 or null
-- known_at         | when it was read, UTC                                                 | not null
-- load_id          | the load that brought it                                              | not null
create table raw.tickers (
  venue varchar not null,
  market_id varchar not null,
  symbol varchar not null,
  base varchar not null,
  quote varchar not null,
  market_type varchar not null,
  observed_at timestamp not null,
  bid double,
  ask double,
  last double,
  base_volume_24h double,
  quote_volume_24h double,
  known_at timestamp not null,
  load_id bigint not null
)
