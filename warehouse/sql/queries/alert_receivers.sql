-- Which channels got, or may have got, the messages about a recommendation?
select distinct d.channel
from ops.deliveries as d
inner join ops.alerts as a using (alert_id)
where a.recommendation_id = $recommendation_id
  and a.event <> 'retracted'
  and d.status in ('sent', 'sending', 'ambiguous')
order by d.channel
