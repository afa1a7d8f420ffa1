-- What does a recommendation say about each asset?
select sleeve, asset, action, reason_code, numbers, changed_since_last
from mart.decision_lines
where recommendation_id = $recommendation_id
order by case action when 'sell' then 1 when 'buy' then 2 when 'frozen' then 3 when 'keep' then 4 else 5 end, sleeve, asset
