-- Which signals moved a recommendation's expected returns, and which were asked and have proven nothing?
select signal, asset, value, confidence, evidence
from mart.decision_views
where recommendation_id = $recommendation_id
order by asset = '', confidence * abs(value) desc, signal, asset
