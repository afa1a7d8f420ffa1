-- Files under <home>/archive into which old rows were moved; nothing that was ever stored is lost.
--
-- key: archive_id
-- archive_id   | ascending number                                                       | not null
-- table_name   | the table the rows were moved out of                                   | not null
-- file         | the Parquet file's name within <home>/archive                          | not null
-- sha256       | its checksum                                                           | not null
-- rows         | how many rows it holds                                                 | > 0
-- known_before | moments from here on need nothing from the file, UTC                   | not null
-- load_before  | load ceilings from here on need nothing from the file                  | not null
-- archived_at  | when the rows were moved, real time, UTC                               | not null
-- restored_at  | when they were put back, UTC; null while they are only in the file     |
create table ops.archives (
  archive_id bigint not null,
  table_name varchar not null,
  file varchar not null,
  sha256 varchar not null,
  rows bigint not null,
  known_before timestamp not null,
  load_before bigint not null,
  archived_at timestamp not null,
  restored_at timestamp
)
