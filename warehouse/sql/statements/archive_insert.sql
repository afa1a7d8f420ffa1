-- Archived rows back into their table.
insert into {source} by name
select * from archived
