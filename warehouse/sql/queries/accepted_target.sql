-- Which target was accepted last, and when?
with accepted as (
  select recommendation_id, happened_at
  from ops.recommendation_events
  where event = 'accepted' and happened_at <= $as_of
    and recommendation_id in (select recommendation_id from mart.recommendations where portfolio = $portfolio)
  order by happened_at desc
  limit 1
)
select w.sleeve || ':' || w.asset as line, w.target_weight, a.happened_at
from mart.target_weights as w
join accepted as a using (recommendation_id)
order by line
