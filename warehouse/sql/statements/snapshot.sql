-- The snapshot that the open file is.
select snapshot_id, published_at, load_id, as_of, is_simulated
from ops.publications
order by snapshot_id desc
limit 1
