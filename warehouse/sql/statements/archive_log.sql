-- Rows of a log written before a moment.
select *, 0::bigint as next_load_id
from {source}
where {time} < $before
