-- Files whose rows are nowhere else.
select archive_id, table_name, file, sha256, rows, known_before, load_before
from {archives}
where restored_at is null
order by archive_id
