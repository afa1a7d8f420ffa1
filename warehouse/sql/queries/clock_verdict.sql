-- What did the sources' clocks say of this machine's, the last time they told? Ordered by their time: ours may be wrong.
select run_id, success, message
from ops.validations
where suite = 'clock'
order by try_cast(observed ->> 'told_at' as timestamptz) desc, success
limit 1
