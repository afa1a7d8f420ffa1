-- What was tried over which channel since a moment, oldest first: for the rate of a channel.
select
  d.alert_id,
  d.channel,
  d.attempted_at,
  d.status,
  d.detail
from ops.deliveries d
where d.attempted_at > $since
order by d.attempted_at, d.alert_id
