-- How old is each dataset's newest closed datum, by the last check?
select dataset, source, newest_data_at, age_seconds, limit_seconds, is_fresh, checked_at, required_by
from ops.freshness
order by dataset, source
