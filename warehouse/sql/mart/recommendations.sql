-- Recommendations: what to do with a portfolio, why, and until when it holds.
--
-- key: recommendation_id
-- recommendation_id    | stable id, derived from portfolio, slot, policy and inputs      | not null
-- portfolio            | the portfolio's name in the configuration                       | not null
-- as_of                | data time of the decision, UTC                                  | not null
-- slot                 | as_of floored to the portfolio's rebalance period, UTC          | not null
-- status               | proposed, hold, blocked, accepted, rejected, expired, superseded or retracted | not null
-- grade                | worst of full, single_source, fallback, degraded, extreme_move, depeg, unstable | not null
-- flags                | every grade that applies                                        |
-- is_simulated         | true: the data come from the simulated market                   | not null
-- reason_code          | the reason as a code; docs/runbook.md has a line for each       | not null
-- reason               | the reason as a sentence                                        | not null
-- objective            | the objective the policy asks for                               | not null
-- method_used          | the method that gave the weights; differs after a fallback      |
-- nav_usd              | value of the portfolio, in US dollars; null when it can not be valued | > 0 or null
-- drift_absolute       | largest difference from the target in force, fraction of NAV    | 0 to 1 or null
-- turnover             | half the sum of the weight changes, cash included               | 0 to 1 or null
-- expected_benefit_bps | model estimate over the horizon, basis points of NAV            | finite or null
-- benefit_return_bps   | the part of the benefit that is expected return, basis points   | finite or null
-- benefit_risk_bps     | the part of the benefit that is lower risk, basis points        | finite or null
-- expected_cost_bps    | fees, half spread and impact, once, basis points of NAV         | >= 0 or null
-- confidence           | bootstrap probability that benefit exceeds cost                 | 0 to 1 or null
-- valid_until          | the recommendation lapses then, data time, UTC                  | > as_of
-- input_snapshot       | published snapshot and load ceiling it was decided on           | not null
-- inputs_hash          | hash of the values it was decided on                            | not null
-- config_hash          | the policy, by its hash in ops.policies                         | not null
-- code_version         | version of the code that decided                                | not null
-- trades_hash          | hash of the trades; the same hash is not announced twice        |
-- attempts             | methods that were tried and why each one failed, in order       |
-- is_announced         | an alert was made for it                                        | not null
-- created_at           | when the decision was made, UTC                                 | not null
-- supersedes           | the recommendation this one takes the place of                  |
create table mart.recommendations (
  recommendation_id varchar not null,
  portfolio varchar not null,
  as_of timestamp not null,
  slot timestamp not null,
  status varchar not null,
  grade varchar not null,
  flags varchar[],
  is_simulated boolean not null,
  reason_code varchar not null,
  reason varchar not null,
  objective varchar not null,
  method_used varchar,
  nav_usd double,
  drift_absolute double,
  turnover double,
  expected_benefit_bps double,
  benefit_return_bps double,
  benefit_risk_bps double,
  expected_cost_bps double,
  confidence double,
  valid_until timestamp,
  input_snapshot varchar not null,
  inputs_hash varchar not null,
  config_hash varchar not null,
  code_version varchar not null,
  trades_hash varchar,
  attempts json,
  is_announced boolean not null,
  created_at timestamp not null,
  supersedes varchar
)
