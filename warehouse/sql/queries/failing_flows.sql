-- Which flows have failed several times in a row, and what did the last one say?
with ranked as (
  select flow, status, message, row_number() over (partition by flow order by started_at desc, run_id) as place
  from ops.runs
  where status not in ('running', 'skipped_overlap')
)
select flow, any_value(message) filter (where place = 1) as message
from ranked
where place <= $runs
group by flow
having count(*) = $runs and bool_and(status in ('failed', 'lost'))
order by flow
