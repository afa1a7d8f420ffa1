-- An archive's rows as a table in memory.
create table {name} as
select * from archived
