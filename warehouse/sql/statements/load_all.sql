-- Every row of the batch into one table.
insert into {table} ({columns})
select {values}
from staged
