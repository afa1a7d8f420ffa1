-- How many rows core holds in the stretch of time that the batch covers.
select count(*) as rows
from {core} as held
where {bound}
