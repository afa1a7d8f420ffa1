-- New and revised rows into one table.
insert into {table} ({columns})
select {values}
from {rows}
