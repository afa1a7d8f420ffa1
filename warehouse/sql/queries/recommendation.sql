-- One recommendation, whole.
select *
from mart.recommendations
where recommendation_id = $recommendation_id
