-- Which weights does a recommendation go from and to?
select sleeve, asset, current_weight, target_weight, lower_bound, upper_bound, binding, shadow_price,
  risk_contribution_before, risk_contribution_after
from mart.target_weights
where recommendation_id = $recommendation_id
order by greatest(coalesce(current_weight, 0), target_weight) desc, sleeve, asset
