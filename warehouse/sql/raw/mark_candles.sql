-- Every version of every closed candle of a perpetual contract's mark price; what liquidations go by.
--
-- key: venue, market_type, market_id, timeframe, open_time
-- time: open_time
-- venue            | exchange, by its ccxt id                                          | not null
-- market_id        | the venue's own market id                                         | not null
-- symbol           | ccxt's unified symbol, for reading only                           | not null
-- base             | the asset of the contract                                         | not null
-- quote            | the asset the price is in                                         | not null
-- market_type      | perp                                                              | not null
-- timeframe        | length of the candle: 1h, 1d, …                                   | not null
-- open_time        | instant at which the candle opens, UTC                            | not null
-- open             | mark price at the open, in quote                                  | > 0
-- high             | highest mark price, in quote                                      | >= open, low, close
-- low              | lowest mark price, in quote                                       | <= open, high, close
-- close            | mark price at the close, in quote                                 | > 0
-- known_at         | when a user of the source could first have had this version, UTC  | not null, >= close of the candle
-- is_reconstructed | true: known_at is derived from the publication lag, not observed  | not null
-- load_id          | the load that brought this version                                | not null
create table raw.mark_candles (
  venue varchar not null,
  market_id varchar not null,
  symbol varchar not null,
  base varchar not null,
  quote varchar not null,
  market_type varchar not null,
  timeframe varchar not null,
  open_time timestamp not null,
  open double,
  high double,
  low double,
  close double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
