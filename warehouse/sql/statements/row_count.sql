-- Number of rows of one table.
select {name} as table_name, count(*) as rows
from {table}
