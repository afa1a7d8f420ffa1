-- A change of the schema that this file has been through.
insert into ops.migrations (version, name, applied_at)
values ($version, $name, $applied_at)
