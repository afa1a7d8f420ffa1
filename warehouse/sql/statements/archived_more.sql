-- A further archive's rows.
insert into {name} by name
select * from archived
