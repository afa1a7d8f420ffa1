-- Weights of each recommendation: now, proposed, and what keeps them there.
--
-- key: recommendation_id, sleeve, asset
-- recommendation_id        | the recommendation                                             | not null
-- portfolio                | the portfolio's name in the configuration                      | not null
-- as_of                    | data time of the decision, UTC                                 | not null
-- sleeve                   | spot, carry, basis, yield, staking, options or cash            | not null
-- asset                    | the asset of the line                                          | not null
-- current_weight           | capital now, fraction of NAV                                   | finite or null
-- target_weight            | capital proposed, fraction of NAV                              | 0 to 1
-- lower_bound              | smallest weight allowed, fraction of NAV                       | 0 to 1 or null
-- upper_bound              | largest weight allowed, fraction of NAV                        | 0 to 1 or null
-- binding                  | name of the constraint that stops the weight here, or null     |
-- shadow_price             | utility gained by loosening that constraint by one unit        | finite or null
-- risk_contribution_before | share of the portfolio's variance now                          | finite or null
-- risk_contribution_after  | share of the portfolio's variance as proposed                  | finite or null
create table mart.target_weights (
  recommendation_id varchar not null,
  portfolio varchar not null,
  as_of timestamp not null,
  sleeve varchar not null,
  asset varchar not null,
  current_weight double,
  target_weight double,
  lower_bound double,
  upper_bound double,
  binding varchar,
  shadow_price double,
  risk_contribution_before double,
  risk_contribution_after double
)
