-- What else could have been done?
select name, expected_return, volatility, benefit_bps, benefit_low_bps, benefit_high_bps, cost_bps, probability, weights, note
from mart.decision_alternatives
where recommendation_id = $recommendation_id
order by list_position(['hold', 'proposal', 'target', 'equal_weight', 'hrp'], name)
