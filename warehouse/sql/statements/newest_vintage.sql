-- When the newest version of a table became known and which load brought it.
select max(known_at) as known_at, max(load_id) as load_id
from {source}
