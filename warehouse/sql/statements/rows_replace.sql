-- The merged rows into the table.
insert into {table} ({columns})
select {columns}
from merged
