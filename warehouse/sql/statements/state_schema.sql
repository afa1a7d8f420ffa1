-- The SQL files that tables and views now follow.
update ops.master_state
set schema_hash = $schema_hash
