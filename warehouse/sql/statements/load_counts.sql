-- How many rows of the batch are new, revised, and there at all.
select
  count(*) filter (where is_new) as rows_new,
  count(*) filter (where not is_new) as rows_revised,
  (select count(*) from staged) as rows_staged
from changes
