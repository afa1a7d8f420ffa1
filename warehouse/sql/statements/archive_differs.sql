-- Rows that the file and the table do not have in common.
select count(*) as rows
from (
  (select * exclude (next_load_id) from archivable except all select * from archived)
  union all
  (select * from archived except all select * exclude (next_load_id) from archivable)
)
