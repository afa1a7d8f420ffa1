-- Rows that the caller states into a table of its own.
insert into {table} ({columns})
select {columns}
from {rows}
