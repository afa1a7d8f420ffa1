-- One line per asset and sleeve of each recommendation: what to do with it and why.
--
-- key: recommendation_id, sleeve, asset
-- recommendation_id  | the recommendation                                       | not null
-- sleeve             | spot, carry, basis, yield, staking, options or cash      | not null
-- asset              | the asset of the line                                    | not null
-- action             | buy, sell, keep, skip or frozen                          | not null
-- reason_code        | the reason as a code                                     | not null
-- numbers            | the figures behind the reason, by name, with the sentence; residual_weight: target less what the orders reach | not null
-- changed_since_last | what moved since the portfolio's last recommendation     |
create table mart.decision_lines (
  recommendation_id varchar not null,
  sleeve varchar not null,
  asset varchar not null,
  action varchar not null,
  reason_code varchar not null,
  numbers json,
  changed_since_last json
)
