-- Identical rows once, known since the earliest of them.
create or replace temp table unrepeated as
select {columns}
from staged
group by {values}
