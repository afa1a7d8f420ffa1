-- A moment that needs archived versions is refused: an answer without them would be wrong without a sign.
and (
  (
    select count(*)
    from ops.archives
    where table_name = {table}
      and restored_at is null
      and (known_before > {as_of} or load_before > {load})
  ) = 0
  or error({message})
)
