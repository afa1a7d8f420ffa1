-- Up to which slot is a flow accounted for?
select max(slot) as slot
from ops.expected_runs
where flow = $flow
