-- Which promises does the stored whole of core.yield_pools break, and where?
with judged as (
  select
    {provider: provider, pool: pool, period_start: period_start} as key, period_start,
    (apy_base is null or (isfinite(apy_base) and apy_base between -1 and 100))
    and (apy_reward is null or (isfinite(apy_reward) and apy_reward between -1 and 100))
    and (apy_base_borrow is null or (isfinite(apy_base_borrow) and apy_base_borrow between -1 and 100))
      as has_possible_rates,
    (tvl_usd is null or (isfinite(tvl_usd) and tvl_usd >= 0))
    and (total_borrow_usd is null or (isfinite(total_borrow_usd) and total_borrow_usd >= 0))
      as has_possible_sizes,
    known_at >= period_start + interval 1 day as is_known_after
  from core.yield_pools
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(has_possible_rates, false)) as bad_rate,
    min_by(key, period_start, 3) filter (where not coalesce(has_possible_rates, false)) as bad_rate_rows,
    count(*) filter (where not coalesce(has_possible_sizes, false)) as bad_size,
    min_by(key, period_start, 3) filter (where not coalesce(has_possible_sizes, false)) as bad_size_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, period_start, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each day of a pool is stored once (provider, pool, period_start)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'rates_are_possible', severity: 'critical', reason_code: 'implausible_rate',
    wanted: 'every rate is between -100 % and 10,000 % a year, or not known',
    offenders: bad_rate, examples: to_json(bad_rate_rows), assets: null},
  {rule: 'sizes_are_possible', severity: 'critical', reason_code: 'negative_value',
    wanted: 'what is deposited and lent out is finite and at least 0, or not known',
    offenders: bad_size, examples: to_json(bad_size_rows), assets: null},
  {rule: 'known_after_the_day', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no reading is known before its day is over',
    offenders: too_early, examples: to_json(too_early_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
