-- Trades of each recommendation, in the order in which they fund each other.
--
-- key: recommendation_id, line
-- recommendation_id      | the recommendation                                             | not null
-- line                   | position in the plan; sells come first                         | not null, >= 1
-- venue                  | where to trade, ccxt id                                        | not null
-- market_id              | the venue's own market id                                      | not null
-- symbol                 | ccxt's unified symbol                                          | not null
-- side                   | buy or sell                                                    | not null
-- quantity               | order quantity, in base, a multiple of the market's step       | > 0
-- reference_price        | price the plan was made at, in quote                           | > 0
-- notional_usd           | quantity at the reference price, in US dollars                 | > 0
-- estimated_fee_usd      | taker fee, in US dollars                                       | finite or null
-- estimated_slippage_usd | half spread and impact, in US dollars                          | >= 0 or null
-- reason_code            | the reason as a code                                           | not null
-- reason                 | the reason as a sentence                                       | not null
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
  reason varchar not null
)
