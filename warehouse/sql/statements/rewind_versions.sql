-- All versions of one table in memory, each with whether its key has no other version, in order of time.
create table {name} as
select *, count(*) over (partition by {key}) = 1 as is_single
from {source}
order by known_at, load_id
