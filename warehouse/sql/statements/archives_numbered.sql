-- The newest number given to an archive.
select coalesce(max(archive_id), 0) as archive_id
from ops.archives
