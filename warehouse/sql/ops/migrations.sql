-- Changes of the schema that this file has been through.
--
-- key: version
-- version    | number of the change                                                | not null
-- name       | its file name                                                       | not null
-- applied_at | when, UTC                                                           | not null
create table ops.migrations (
  version integer not null,
  name varchar not null,
  applied_at timestamp not null
)
