-- How far has an alert come?
update ops.alerts
set status = $status
where alert_id = $alert_id
