-- Trades of each recommendation, in the order in which they fund each other; pools are steps by hand.
--
-- key: recommendation_id, line
-- recommendation_id      | the recommendation                                             | not null
-- line                   | position in the plan; what frees cash comes first              | not null, >= 1
-- venue                  | where to trade, ccxt id; of a pool the protocol                | not null
-- market_id              | the venue's own market id; of a pool its id                    | not null
-- symbol                 | ccxt's unified symbol                                          | not null
-- side                   | buy or sell; of a pool: put in or take out                     | not null
-- quantity               | order quantity, in base, a whole number of the market's steps  | > 0
-- reference_price        | price the plan was made at, in quote                           | > 0
-- notional_usd           | quantity at the reference price, in US dollars                 | > 0
-- estimated_fee_usd      | taker fee, in US dollars                                       | finite or null
-- estimated_slippage_usd | half spread and impact, in US dollars                          | >= 0 or null
-- reason_code            | the reason as a code                                           | not null
-- reason                 | the reason as a sentence                                       | not null
-- sleeve                 | the sleeve whose line it changes                               |
-- market_type            | spot, perp, future; pool: moved by hand, no order              |
-- pair                   | orders of the same number belong together: both or none       | >= 1 or null
-- contracts              | what the venue counts the order in: quantity / contract size   | > 0 or null
-- limit_price            | worst price the estimated cost allows, in the market's steps   | > 0 or null
-- is_reduce_only         | it closes a short position and must never open a long one      |
-- steps_before           | what to do by hand before it: transfers, margin to post        |
-- asset                  | the asset whose line it changes                                |
create table mart.recommendation_trades (
  recommendation_id varchar not null,
  line integer not null,
  venue varchar not null,
  market_id varchar not null,
  symbol varchar not null,
  side varchar not null,
  quantity decimal(38, 18) not null,
  reference_price double not null,
  notional_usd double not null,
  estimated_fee_usd double,
  estimated_slippage_usd double,
  reason_code varchar not null,
  reason varchar not null,
  sleeve varchar,
  market_type varchar,
  pair integer,
  contracts decimal(38, 18),
  limit_price decimal(38, 18),
  is_reduce_only boolean,
  steps_before json,
  asset varchar
)
