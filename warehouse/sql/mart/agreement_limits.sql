-- When venues agree on a price, by [gate.agreement] of the newest run: the one home of these limits.
--
-- key: rule
-- rule            | prices: the only rule so far                                                           | not null
-- floor           | distance from the median of all up to which a venue always agrees, as a fraction of it | > 0
-- mads            | where that is more: so many median absolute deviations                                 | >= 0
-- ceiling         | but never beyond this distance                                                         | >= floor
-- two_venues      | of two venues neither is the outlier: both lie this near their middle, or neither counts | > 0
-- max_lag_seconds | a venue whose newest price is older than another's by more says nothing about now      | > 0
create table mart.agreement_limits as
select
  'prices' as rule,
  0.1::double as floor,
  5::double as mads,
  0.25::double as ceiling,
  0.05::double as two_venues,
  7200::double as max_lag_seconds
