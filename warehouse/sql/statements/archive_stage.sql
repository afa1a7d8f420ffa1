-- What is to be archived.
create or replace temp table archivable as
{select}
