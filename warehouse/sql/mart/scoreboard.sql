-- What each recommendation came to once its horizon was over, chained by hashes so that no row changes unseen.
-- Measured from the first daily close after the decision, over whole days, weights held; a hold is measured as the
-- trade that was not made. `trimtab scoreboard` verifies the chain.
--
-- key: entry
-- entry                | position in the chain, from 1                                              | not null, >= 1
-- recommendation_id    | the recommendation                                                         | not null
-- portfolio            | the portfolio's name in the configuration                                  | not null
-- as_of                | data time of the decision, UTC                                             | not null
-- decision             | what was said then: proposed or hold                                       | not null
-- reason_code          | why, as a code                                                             | not null
-- horizon_days         | horizon of the policy that decided                                         | >= 1
-- first_date           | the daily close at which the measurement begins                            | not null
-- last_date            | the daily close at which it ends                                           | not null
-- state                | measured, or unmeasurable: a price stayed unknown for a week after the end | not null
-- missing              | lines without a return on some day, or positions                           | not null
-- hold_return          | return of doing nothing over the horizon                                   | > -1 or null
-- proposed_return      | return of the proposed weights, less the estimated cost                    | finite or null
-- reference_return     | return of the target in force (fixed or last accepted), before costs       | finite or null
-- expected_benefit_bps | benefit as it was estimated, basis points of NAV                           | finite or null
-- expected_cost_bps    | cost as it was estimated, basis points of NAV                              | >= 0 or null
-- realised_benefit_bps | the same measure on what happened, before costs: return and risk           | finite or null
-- realised_return_bps  | the part that is return                                                    | finite or null
-- realised_risk_bps    | the part that is lower variance                                            | finite or null
-- confidence           | probability given then that benefit beats cost                             | 0 to 1 or null
-- is_hit               | a trade: benefit above cost; a hold: not above                             |
-- is_simulated         | true: the data come from the simulated market                              | not null
-- scored_at            | data time of the run that measured it, UTC                                 | not null
-- code_version         | version of the code that measured it                                       | not null
-- recommendation_hash  | sha256 of what the recommendation said: figures, weights, hashes of inputs and policy | not null
-- previous_hash        | row_hash of the entry before; 64 zeros for the first                       | not null
-- row_hash             | sha256 of previous_hash and of all other columns as JSON                   | not null
create table mart.scoreboard (
  entry bigint not null,
  recommendation_id varchar not null,
  portfolio varchar not null,
  as_of timestamp not null,
  decision varchar not null,
  reason_code varchar not null,
  horizon_days integer not null,
  first_date date not null,
  last_date date not null,
  state varchar not null,
  missing varchar[] not null,
  hold_return double,
  proposed_return double,
  reference_return double,
  expected_benefit_bps double,
  expected_cost_bps double,
  realised_benefit_bps double,
  realised_return_bps double,
  realised_risk_bps double,
  confidence double,
  is_hit boolean,
  is_simulated boolean not null,
  scored_at timestamp not null,
  code_version varchar not null,
  recommendation_hash varchar not null,
  previous_hash varchar not null,
  row_hash varchar not null
)
