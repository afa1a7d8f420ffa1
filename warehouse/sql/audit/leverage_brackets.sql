-- Which promises does the stored whole of core.leverage_brackets break, and where?
with judged as (
  select
    {venue: venue, market_type: market_type, market_id: market_id, bracket: bracket} as key,
    bracket,
    isfinite(maintenance_margin_rate) and maintenance_margin_rate > 0 and maintenance_margin_rate <= 1
      and (max_leverage is null or (isfinite(max_leverage) and max_leverage >= 1)) as is_possible
  from core.leverage_brackets
),
follows as (
  select
    {venue: venue, market_type: market_type, market_id: market_id, bracket: bracket} as key,
    coalesce(
      notional_floor = lag(notional_cap) over each_market
        and maintenance_margin_rate >= lag(maintenance_margin_rate) over each_market,
      bracket = 1 and notional_floor = 0
    ) as is_continuous
  from mart.current_leverage_brackets
  window each_market as (partition by venue, market_type, market_id order by bracket)
),
broken as (
  select count(*) as brackets, min_by(key, key.bracket, 3) as examples
  from follows
  where not coalesce(is_continuous, false)
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_possible, false)) as impossible,
    min_by(key, bracket, 3) filter (where not coalesce(is_possible, false)) as impossible_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each bracket is stored once (venue, market type, market, bracket)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'rates_are_possible', severity: 'critical', reason_code: 'implausible_margin',
    wanted: 'margin rates lie above 0 and at most at 1, leverage is at least 1',
    offenders: impossible, examples: to_json(impossible_rows), assets: null},
  {rule: 'brackets_are_continuous', severity: 'warning', reason_code: 'broken_brackets',
    wanted: 'the first bracket begins at 0, each other where the one before it ends, and wants no less margin',
    offenders: broken.brackets, examples: to_json(broken.examples), assets: null}
], recursive := true), total as rows_judged
from rows_judged, broken
