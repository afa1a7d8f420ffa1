-- What did the portfolio's last decision of an earlier slot rest on?
with previous as (
  select recommendation_id, as_of, config_hash
  from mart.recommendations
  where portfolio = $portfolio and slot < $slot and status <> 'blocked'
  order by slot desc, as_of desc, recommendation_id
  limit 1
)
select p.recommendation_id, p.as_of, p.config_hash, l.sleeve || ':' || l.asset as line, l.numbers
from mart.decision_lines as l
join previous as p using (recommendation_id)
order by line
