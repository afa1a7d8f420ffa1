-- What is to be archived, without the helper column.
select * exclude (next_load_id)
from archivable
