-- What is the newest recommendation of each portfolio?
select portfolio, recommendation_id, as_of, status, grade, flags, reason_code, reason, valid_until, is_simulated
from mart.recommendations
qualify row_number() over (partition by portfolio order by as_of desc, slot desc, (status = 'superseded'), recommendation_id) = 1
order by portfolio
