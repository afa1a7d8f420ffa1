-- What was archived.
drop table if exists archivable
