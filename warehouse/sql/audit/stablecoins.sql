-- Which promises does the stored whole of core.stablecoins break, and where?
with judged as (
  select
    {provider: provider, asset: asset, period_start: period_start} as key, asset, period_start, price_usd,
    price_usd is null or (isfinite(price_usd) and price_usd between 0.5 and 1.5) as has_possible_price,
    supply is null or (isfinite(supply) and supply >= 0) as has_possible_supply,
    known_at >= period_start as is_known_after
  from core.stablecoins
),
newest as (
  select asset, arg_max(price_usd, period_start) as price_usd, max(period_start) as period_start
  from judged
  where price_usd is not null
  group by asset
),
off_peg as (
  select
    count(*) as coins,
    list({asset: asset, price_usd: price_usd, period_start: period_start} order by asset) as examples
  from newest
  where not (isfinite(price_usd) and price_usd between 1 - $peg_tolerance and 1 + $peg_tolerance)
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(has_possible_price, false)) as bad_price,
    min_by(key, period_start, 3) filter (where not coalesce(has_possible_price, false)) as bad_price_rows,
    count(*) filter (where not coalesce(has_possible_supply, false)) as bad_supply,
    min_by(key, period_start, 3) filter (where not coalesce(has_possible_supply, false)) as bad_supply_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, period_start, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each day of a stablecoin is stored once (provider, asset, period_start)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'prices_are_possible', severity: 'critical', reason_code: 'implausible_price',
    wanted: 'a price is between 0.50 and 1.50 USD, or not known',
    offenders: bad_price, examples: to_json(bad_price_rows), assets: null},
  {rule: 'supplies_are_possible', severity: 'critical', reason_code: 'negative_value',
    wanted: 'a supply is finite and at least 0, or not known',
    offenders: bad_supply, examples: to_json(bad_supply_rows), assets: null},
  {rule: 'known_after_the_day', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no value is known before its day',
    offenders: too_early, examples: to_json(too_early_rows), assets: null},
  {rule: 'newest_price_is_near_peg', severity: 'warning', reason_code: 'depeg',
    wanted: format('the newest price of each stablecoin is within {:.1f} % of 1 USD', 100 * $peg_tolerance::double),
    offenders: off_peg.coins, examples: to_json(off_peg.examples), assets: null}
], recursive := true), total as rows_judged
from rows_judged, off_peg
