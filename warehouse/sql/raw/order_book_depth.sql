-- Spread and depth of a market's order book at the moments it was read.
--
-- key: venue, market_type, market_id, observed_at
-- time: observed_at
-- venue            | exchange, by its ccxt id                                            | not null
-- market_id        | the venue's own market id                                           | not null
-- symbol           | ccxt's unified symbol, for reading only                             | not null
-- base             | the asset that is traded                                            | not null
-- quote            | the asset the price is in                                           | not null
-- market_type      | spot, perp, future or option                                        | not null
-- observed_at      | instant of the book, UTC                                            | not null
-- bid              | best bid, in quote                                                  | > 0, < ask
-- ask              | best ask, in quote                                                  | > bid
-- mid              | (bid + ask) / 2, in quote                                           | > 0
-- spread_bps       | (ask - bid) / mid, in basis points                                  | > 0
-- bid_depth_10bps  | bids within 10 bps of mid, in quote; null: the book read ends before | >= 0 or null
-- ask_depth_10bps  | asks within 10 bps of mid, in quote; null: the book read ends before | >= 0 or null
-- bid_depth_50bps  | the same within 50 bps                                              | >= 0 or null
-- ask_depth_50bps  | the same within 50 bps                                              | >= 0 or null
-- bid_depth_100bps | the same within 100 bps                                             | >= 0 or null
-- ask_depth_100bps | the same within 100 bps                                             | >= 0 or null
-- known_at         | when this book was read, UTC                                        | not null
-- load_id          | the load that brought this row                                      | not null
create table raw.order_book_depth (
  venue varchar not null,
  market_id varchar not null,
  symbol varchar not null,
  base varchar not null,
  quote varchar not null,
  market_type varchar not null,
  observed_at timestamp not null,
  bid double,
  ask double,
  mid double,
  spread_bps double,
  bid_depth_10bps double,
  ask_depth_10bps double,
  bid_depth_50bps double,
  ask_depth_50bps double,
  bid_depth_100bps double,
  ask_depth_100bps double,
  known_at timestamp not null,
  load_id bigint not null
)
