-- Up to which slot has each flow served its schedule?
select flow, max(slot) as slot
from ops.expected_runs
where status in ('on_time', 'late', 'caught_up', 'superseded')
group by flow
order by flow
