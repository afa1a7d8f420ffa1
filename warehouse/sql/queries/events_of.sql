-- What happened to a recommendation so far, oldest first?
select event, actor, note, happened_at, until_at
from ops.recommendation_events
where recommendation_id = $recommendation_id
order by happened_at, event
