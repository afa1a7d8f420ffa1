-- By which SQL files the attached snapshot was made.
select schema_hash
from snapshot.ops.master_state
