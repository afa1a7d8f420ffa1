-- How did the last runs end?
select run_id, flow, slot, started_at, finished_at, status, reason_code, message
from ops.runs
order by started_at desc, run_id
limit $count
