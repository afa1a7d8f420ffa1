-- Plain rows into a table.
insert into {table} ({columns})
select {columns}
from batch
