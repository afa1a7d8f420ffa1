-- What was tried so far for the alerts that may still have to be sent?
select d.alert_id, d.channel, d.attempt, d.status
from ops.deliveries d
where d.alert_id in (select alert_id from ops.alerts where status in ('pending', 'partial'))
order by d.alert_id, d.channel, d.attempt
