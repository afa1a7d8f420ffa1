-- The state of a master that was just created.
insert into ops.master_state (commit_id, schema_hash)
values (0, '')
