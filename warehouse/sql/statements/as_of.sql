-- A core table as it was known at a moment: the latest version of each key among those known and loaded by then.
-- A null moment or a null load leaves that bound open.
select * exclude (place)
from (
  select *, row_number() over (partition by {key} order by known_at desc, load_id desc) as place
  from {source}
  where known_at <= {as_of} and load_id <= {load} {guard}
)
where place = 1
