-- When do venues agree on a price?
select rule, floor, mads, ceiling, two_venues, max_lag_seconds
from mart.agreement_limits
