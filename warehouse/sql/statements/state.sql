-- How far the master has come.
select commit_id, schema_hash
from ops.master_state
