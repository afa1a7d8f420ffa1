-- A run whose lease another one took over ended without saying so.
update ops.runs
set status = 'lost', finished_at = $finished_at, reason_code = 'lease_lost', message = $message
where run_id = $run_id and status = 'running'
