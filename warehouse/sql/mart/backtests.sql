-- Backtests: a policy, or a plain portfolio beside it, walked through the past net of all costs, and what came of it.
--
-- key: backtest_id
-- backtest_id         | stable id, derived from rules, dates, inputs, engine and code               | not null
-- portfolio           | the portfolio's name in the configuration                                   | not null
-- name                | policy, or the plain portfolio: hold, fixed, 1/N, min-volatility, HRP, BTC, 60/40 BTC/ETH | not null
-- is_baseline         | true: a plain portfolio for comparison                                      | not null
-- variation           | what differs from the configuration, such as horizon_days=7; empty: nothing  | not null
-- engine              | production: the decision as live; fast: quicker solvers, no stability test   | not null
-- first_decision_at   | instant of the first decision, UTC                                          | not null
-- last_close_at       | the daily close with which it ends, UTC                                     | > first_decision_at
-- every_hours         | hours between two decisions                                                 | > 0
-- decisions           | number of decisions                                                         | >= 0
-- proposals           | of these, proposed                                                          | >= 0
-- blocked             | of these, blocked                                                           | >= 0
-- alerts              | messages that would have been sent                                          | >= 0
-- missed_orders       | orders that could not be executed, for want of a price, cash or a market     | >= 0
-- start_usd           | value before the first day, US dollars                                      | > 0
-- final_usd           | value at the end, US dollars                                                | >= 0
-- annual_return       | compound annual growth, a fraction                                          | >= -1
-- volatility          | annual standard deviation of daily returns (365 days), a fraction           | >= 0
-- sharpe              | annual Sharpe ratio against no interest                                     | finite
-- max_drawdown        | deepest fall from a high, a fraction                                        | -1 to 0
-- days_under_water    | longest time below an earlier high, days                                    | >= 0
-- up_capture          | growth on bitcoin's up days over bitcoin's own                              | finite or null
-- down_capture        | the same on its down days                                                   | finite or null
-- turnover_per_year   | half the sum of the weight changes, per year                                | >= 0
-- cost_bps_per_year   | fees, half spread and impact, basis points of the value a year              | >= 0
-- sharpe_low          | lower end of the 90 % bootstrap interval of sharpe                          | finite or null
-- sharpe_high         | upper end                                                                   | finite or null
-- return_low          | lower end of the 90 % bootstrap interval of annual_return                   | finite or null
-- return_high         | upper end                                                                   | finite or null
-- assumptions         | what had to be assumed because it was not known then                        |
-- is_simulated        | true: the data come from the simulated market                               | not null
-- config_hash         | the rules, by their hash                                                    | not null
-- inputs_hash         | hash of everything that was known at the decisions, and of the closes        | not null
-- code_version        | version of the code that walked                                             | not null
-- seed                | of every decision and of the bootstrap                                      | not null
create table mart.backtests (
  backtest_id varchar not null,
  portfolio varchar not null,
  name varchar not null,
  is_baseline boolean not null,
  variation varchar not null,
  engine varchar not null,
  first_decision_at timestamp not null,
  last_close_at timestamp not null,
  every_hours integer not null,
  decisions integer not null,
  proposals integer not null,
  blocked integer not null,
  alerts integer not null,
  missed_orders integer not null,
  start_usd double not null,
  final_usd double not null,
  annual_return double not null,
  volatility double not null,
  sharpe double not null,
  max_drawdown double not null,
  days_under_water integer not null,
  up_capture double,
  down_capture double,
  turnover_per_year double not null,
  cost_bps_per_year double not null,
  sharpe_low double,
  sharpe_high double,
  return_low double,
  return_high double,
  assumptions varchar[],
  is_simulated boolean not null,
  config_hash varchar not null,
  inputs_hash varchar not null,
  code_version varchar not null,
  seed integer not null
)
