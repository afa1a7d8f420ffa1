-- The stretch of time the batch covers.
select min({time}) as first_time, max({time}) as last_time
from staged
