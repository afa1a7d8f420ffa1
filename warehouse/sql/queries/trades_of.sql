-- Which trades does a recommendation consist of, in order?
-- A snapshot from before an upgrade has fewer columns.
select * exclude (recommendation_id)
from mart.recommendation_trades
where recommendation_id = $recommendation_id
order by line
