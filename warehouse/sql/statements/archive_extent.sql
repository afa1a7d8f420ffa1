-- How many rows are to be archived, and from which load on they are not needed.
select count(*) as rows, coalesce(max(next_load_id), 0) as load_before
from archivable
