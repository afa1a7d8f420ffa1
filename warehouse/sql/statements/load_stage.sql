-- The batch as it came.
create or replace temp view staged as
select {columns}
from batch
