-- Identical rows once, known since the earliest of them.
create or replace temp table staged as
select {columns}
from staged
group by {values}
