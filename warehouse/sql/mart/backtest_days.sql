-- Days of each backtest: what the portfolio was worth, what was traded at the close, what had been decided before it.
--
-- key: backtest_id, as_of_date
-- backtest_id       | the backtest                                                        | not null
-- as_of_date        | date of the instant 00:00 UTC at which the day ends                 | not null
-- value_usd         | value after what was executed at this close, US dollars             | >= 0
-- simple_return     | of the day, net of costs                                            | >= -1
-- turnover          | half the sum of the weight changes executed at this close           | >= 0
-- traded_usd        | notional of the orders executed at this close, US dollars           | >= 0
-- cost_usd          | fees, half spread and impact of these orders, US dollars            | >= 0
-- weights           | line → fraction of the value, on days with a decision or an order   |
-- status            | of the last decision before this close: proposed, hold or blocked   |
-- reason_code       | its reason                                                          |
-- recommendation_id | the id that a live run would have given it                          |
-- alerts            | messages that the decisions before this close would have sent       | >= 0
create table mart.backtest_days (
  backtest_id varchar not null,
  as_of_date date not null,
  value_usd double not null,
  simple_return double not null,
  turnover double not null,
  traded_usd double not null,
  cost_usd double not null,
  weights json,
  status varchar,
  reason_code varchar,
  recommendation_id varchar,
  alerts integer not null
)
