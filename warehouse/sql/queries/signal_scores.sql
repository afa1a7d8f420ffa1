-- What did each signal say of each coin, and from which daily close on could somebody have acted on it?
with scored as (
  select
    signal,
    asset,
    as_of_date,
    greatest(
      as_of_date, cast(ceil(epoch(known_at) / 86400) * interval 1 day + timestamp '1970-01-01' as date)
    ) as entry_date,
    z_score
  from mart.signals
  where
    (list_contains($signals, signal) or list_contains($signals, 'all'))
    and list_contains($assets, asset)
    and as_of_date <= $last_date
    and z_score is not null
)
select signal, asset, entry_date, as_of_date, z_score
from scored
-- Figures that came late together: only the newest of them counts.
qualify row_number() over (partition by signal, asset, entry_date order by as_of_date desc) = 1
order by signal, entry_date, asset
