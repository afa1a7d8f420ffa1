-- Snapshots that were published for reading.
--
-- key: snapshot_id
-- snapshot_id  | ascending number, also in the file's name                         | not null
-- published_at | when, real time, UTC                                              | not null
-- as_of        | data time of the run that published it, UTC                       | not null
-- load_id      | highest load it contains                                          | not null
-- is_simulated | true: its data come from the simulated market                     | not null
-- bytes        | size of the master when the copy was made                         | > 0
create table ops.publications (
  snapshot_id bigint not null,
  published_at timestamp not null,
  as_of timestamp not null,
  load_id bigint not null,
  is_simulated boolean not null,
  bytes bigint not null
)
