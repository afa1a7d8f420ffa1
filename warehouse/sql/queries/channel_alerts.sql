-- Which alerts about the channels themselves were made?
select alert_id
from ops.alerts
where episode_id like 'channel-%'
order by alert_id
