-- What else could have been done, side by side with the proposal, each planned, costed and estimated alike.
--
-- key: recommendation_id, name
-- recommendation_id | the recommendation                                                            | not null
-- name              | hold, proposal, target (in force), equal_weight or hrp; all under the same limits | not null
-- expected_return   | expected annual return, fraction of NAV                                       | finite or null
-- volatility        | expected annual volatility, fraction of NAV                                   | >= 0 or null
-- benefit_bps       | benefit over doing nothing, over the horizon, before costs, basis points of NAV | finite or null
-- benefit_low_bps   | 10th percentile of the benefit in resampled histories (stationary bootstrap)  | finite or null
-- benefit_high_bps  | 90th percentile                                                               | finite or null
-- cost_bps          | fees, half spread, impact and stated tax, once, basis points of NAV           | >= 0 or null
-- probability       | share of resampled histories in which the benefit is above the cost           | 0 to 1 or null
-- weights           | line to weight after its orders, fraction of NAV                              | not null
-- note              | why a figure is missing                                                       | not null
create table mart.decision_alternatives (
  recommendation_id varchar not null,
  name varchar not null,
  expected_return double,
  volatility double,
  benefit_bps double,
  benefit_low_bps double,
  benefit_high_bps double,
  cost_bps double,
  probability double,
  weights json not null,
  note varchar not null
)
