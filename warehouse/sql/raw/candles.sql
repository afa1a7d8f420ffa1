-- Every version of every closed candle, as each venue reported it.
--
-- key: venue, market_type, market_id, timeframe, open_time
-- time: open_time
-- venue            | exchange, by its ccxt id                                          | not null
-- market_id        | the venue's own id; Binance uses one id for spot and for perpetual | not null
-- symbol           | ccxt's unified symbol, for reading only                           | not null
-- base             | the asset that is priced                                          | not null
-- quote            | the asset the price is in                                         | not null
-- market_type      | spot, perp, future or option                                      | not null
-- timeframe        | length of the candle: 1m, 5m, 15m, 1h, 4h, 1d, 1w                 | not null
-- open_time        | instant the candle opens, UTC; it closes one timeframe later      | not null
-- open             | first price, in quote                                             | > 0
-- high             | highest price, in quote                                           | >= open, close, low
-- low              | lowest price, in quote                                            | > 0, <= open, close, high
-- close            | last price, in quote                                              | > 0
-- base_volume      | amount traded, in base; for contracts as the venue counts it      | >= 0 or null
-- quote_volume     | amount traded, in quote                                           | >= 0 or null
-- known_at         | when a user of the source could first have had this version, UTC  | not null, >= close of the candle
-- is_reconstructed | true: known_at is derived from the publication lag, not observed  | not null
-- load_id          | the load that brought this version                                | not null
create table raw.candles (
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
  base_volume double,
  quote_volume double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
