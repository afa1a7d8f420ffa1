-- The current values that the batch revises.
delete from {core} as held
using changes
where not changes.is_new and {bound} and {match}
