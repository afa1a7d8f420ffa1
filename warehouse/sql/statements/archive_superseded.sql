-- Versions that were replaced by one known before a moment. Only keys that some load revised are looked at.
select {columns}, next_load_id
from (
  select
    held.*,
    lead(held.known_at) over versions as next_known_at,
    lead(held.load_id) over versions as next_load_id
  from {source} as held
  where ({held_key}) in (
    select ({key})
    from {source}
    where load_id in (select load_id from ops.loads where rows_revised > 0)
  )
  window versions as (partition by {held_key} order by held.known_at, held.load_id)
)
where next_known_at <= $before
