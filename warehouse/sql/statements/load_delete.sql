-- The current values that the load revises.
delete from {core} as held
using (select {key} from {record} where load_id = $load_id) as changes
where {bound} and {match}
