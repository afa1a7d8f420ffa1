-- A core table as it was known at the moment the connection stands at.
select {columns}
from {source}
where is_single and known_at <= getvariable('moment')
union all
select {columns}
from (
  select *, row_number() over (partition by {key} order by known_at desc, load_id desc) as place
  from {source}
  where not is_single and known_at <= getvariable('moment')
)
where place = 1
