-- The rows that are about to be replaced.
delete from {table} as held
using merged as batch
where {match}
