-- Rows of the batch that are new or differ from the current value, with the clock of a revision.
-- A revision is known when it was read, never before the version it replaces, and is an observation, not a reconstruction.
create or replace temp table changes as
select
  staged.* replace ({replaced}),
  held.known_at is null as is_new
from staged
left join (select * from {core} as held where {bound}) as held on {match}
where held.known_at is null or {differs}
