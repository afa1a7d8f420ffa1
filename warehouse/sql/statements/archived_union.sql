-- All versions: those still in the table, and those that were moved to files.
(
  select * from {source}
  union all by name
  select * from {archived}
)
