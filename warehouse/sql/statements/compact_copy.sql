-- All rows of the old file, in their order.
insert into {table} by name
select * from snapshot.{table}
