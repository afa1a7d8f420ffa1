-- Do the venues agree on what each asset is worth now?
with judged as (
  select
    {asset: asset, venue: venue, price_usd: price_usd, median_usd: median_usd, price_at: price_at} as key,
    asset, venue, deviation, is_agreeing, has_quorum, agreeing, venues
  from mart.venue_prices
  where list_contains($assets, asset)
),
rows_judged as (
  select
    count(*) as total,
    count(*) filter (where has_quorum and not is_agreeing) as outliers,
    max_by(key, deviation, 3) filter (where has_quorum and not is_agreeing) as outlier_rows,
    count(distinct asset) filter (where not has_quorum) as undecided,
    list({key: key, quorum: greatest(agreeing, 1) || '/' || venues} order by asset, venue)
      filter (where not has_quorum) as undecided_rows,
    list_sort(list(distinct asset) filter (where not has_quorum)) as undecided_assets
  from judged
)
select unnest([
  {rule: 'venues_agree', severity: 'warning', reason_code: 'venue_disagrees',
    wanted: 'every venue is near the median of all; one that is not is left out of the price',
    offenders: outliers, examples: to_json(outlier_rows), assets: null::varchar[]},
  {rule: 'prices_have_a_quorum', severity: 'warning', reason_code: 'no_quorum',
    wanted: 'most of the venues that price an asset agree',
    offenders: undecided, examples: to_json(undecided_rows[:4]), assets: undecided_assets}
], recursive := true), total as rows_judged
from rows_judged
