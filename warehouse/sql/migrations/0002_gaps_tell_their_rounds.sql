-- A gap tells in how many runs it was asked for, when last, and what confirmed it.
alter table ops.gaps add column rounds integer;
alter table ops.gaps add column asked_at timestamp;
alter table ops.gaps add column evidence varchar;
update ops.gaps set rounds = case when attempts > 0 then 1 else 0 end, evidence = ''
