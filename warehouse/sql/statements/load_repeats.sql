-- Keys that occur more than once in the batch, with examples.
select {key}
from staged
group by {key}
having count(*) > 1
order by {key}
limit 3
