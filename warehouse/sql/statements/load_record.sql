-- Rows of the batch that are new or differ from the current value, with the clock of a revision, into the record of versions.
-- A revision is known when it was read, never before the version it replaces, and is an observation, not a reconstruction.
-- The limit is the number of held rows and takes none away: DuckDB guesses far more, and would look them up in the batch.
insert into {record} ({columns})
select {values}
from (
  select staged.* replace ({replaced})
  from staged
  left join (select * from {core} as held where {bound} limit {held_rows}) as held on {match}
  where held.known_at is null or {differs}
) as changes
{order}
