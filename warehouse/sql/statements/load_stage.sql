-- The batch as it came, in the table's types.
create or replace temp table staged as
select {columns}
from batch
