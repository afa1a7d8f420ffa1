-- Which proposals ran out before anybody answered?
select recommendation_id, portfolio, valid_until
from mart.recommendations
where status = 'proposed' and valid_until <= $as_of
order by valid_until, recommendation_id
