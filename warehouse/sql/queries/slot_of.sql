-- What became of one slot?
select status, run_id
from ops.expected_runs
where flow = $flow and slot = $slot
