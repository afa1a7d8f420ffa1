-- A row that core holds within the stretch of one of the batch's series, if there is any.
with spans as (
  select {series}, min({time}) as first_time, max({time}) as last_time
  from {rows}
  group by {series}
)
select 1 as is_met
from (select * from {core} as held where {bound}) as held
inner join spans on {match} and held.{time} between spans.first_time and spans.last_time
limit 1
