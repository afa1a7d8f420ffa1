-- The macro core.<table>_at(as_of, load): the only SQL above raw that reads raw.
create or replace macro {name}(as_of, load) as table {body}
