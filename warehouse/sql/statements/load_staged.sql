-- How many rows are staged.
select count(*) as rows_staged
from staged
