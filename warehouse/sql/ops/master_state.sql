-- One row: how far the master has come; compared with the manifest beside it whenever it is opened.
--
-- key: none
-- commit_id   | number of the newest committed transaction                          | not null, ascending
-- schema_hash | hash of the SQL files the tables and views were last brought up to  | not null
create table ops.master_state (
  commit_id bigint not null,
  schema_hash varchar not null
)
