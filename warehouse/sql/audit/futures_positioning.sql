-- Which promises does the stored whole of core.futures_positioning break, and where?
with judged as (
  select
    {provider: provider, market_id: market_id, period_start: period_start} as key, period_start,
    isfinite(open_interest) and open_interest >= 0
    and list_min([dealer_long, dealer_short, asset_manager_long, asset_manager_short, leveraged_long,
      leveraged_short, other_long, other_short, small_long, small_short]) >= 0
    and isfinite(dealer_long + dealer_short + asset_manager_long + asset_manager_short + leveraged_long
      + leveraged_short + other_long + other_short + small_long + small_short) as is_possible,
    greatest(dealer_long + asset_manager_long + leveraged_long + other_long + small_long,
      dealer_short + asset_manager_short + leveraged_short + other_short + small_short) <= open_interest
      as fits,
    known_at >= period_start + interval 1 day as is_known_after
  from core.futures_positioning
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_possible, false)) as impossible,
    min_by(key, period_start, 3) filter (where not coalesce(is_possible, false)) as impossible_rows,
    count(*) filter (where not coalesce(fits, false)) as unfit,
    min_by(key, period_start, 3) filter (where not coalesce(fits, false)) as unfit_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, period_start, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each report on a future is stored once (provider, market_id, period_start)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'counts_are_possible', severity: 'critical', reason_code: 'negative_value',
    wanted: 'every count of contracts is finite and at least 0',
    offenders: impossible, examples: to_json(impossible_rows), assets: null},
  {rule: 'positions_fit_open_interest', severity: 'critical', reason_code: 'inconsistent_positions',
    wanted: 'neither the long nor the short positions exceed the open interest',
    offenders: unfit, examples: to_json(unfit_rows), assets: null},
  {rule: 'known_after_the_day', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no report is known before the day it counts is over',
    offenders: too_early, examples: to_json(too_early_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
