-- Which proposals of a portfolio still wait for an answer?
select recommendation_id, as_of
from mart.recommendations
where portfolio = $portfolio and status = 'proposed'
order by as_of desc, recommendation_id
