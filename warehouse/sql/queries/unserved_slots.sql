-- Which slots of a flow has nobody served so far?
select slot
from ops.expected_runs
where flow = $flow and status = 'missed' and slot < $before
order by slot
