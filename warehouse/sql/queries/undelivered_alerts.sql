-- Which alerts have not reached everybody they are meant for?
select alert_id, portfolio, event, severity, title, created_at, status
from ops.alerts
where status in ('pending', 'partial', 'failed')
order by created_at, alert_id
