-- Which recommendations with weights are not on the scoreboard yet, and by which policy were they decided?
select r.*, said.event as decision, p.toml
from mart.recommendations as r
inner join ops.policies as p using (config_hash)
inner join (
  select recommendation_id, event
  from ops.recommendation_events
  where event in ('proposed', 'hold')
  group by all
) as said using (recommendation_id)
where r.as_of < $as_of
  and not exists (from mart.scoreboard as s where s.recommendation_id = r.recommendation_id)
order by r.as_of, r.recommendation_id
