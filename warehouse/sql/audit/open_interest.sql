-- Which promises does the stored whole of core.open_interest break, and where?
with judged as (
  select
    {venue: venue, market_type: market_type, market_id: market_id, observed_at: observed_at} as key,
    observed_at,
    coalesce(open_interest, open_interest_quote) is not null
      and (open_interest is null or (isfinite(open_interest) and open_interest >= 0))
      and (open_interest_quote is null or (isfinite(open_interest_quote) and open_interest_quote >= 0))
      as is_possible,
    known_at >= observed_at as is_known_after,
    epoch(observed_at) - epoch(
      lag(observed_at) over (partition by venue, market_type, market_id order by observed_at)
    ) > 3600 as follows_a_hole
  from core.open_interest
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_possible, false)) as impossible,
    min_by(key, observed_at, 3) filter (where not coalesce(is_possible, false)) as impossible_rows,
    count(*) filter (where not coalesce(is_known_after, false)) as too_early,
    min_by(key, observed_at, 3) filter (where not coalesce(is_known_after, false)) as too_early_rows,
    count(*) filter (where coalesce(follows_a_hole, false)) as holes,
    max_by(key, observed_at, 3) filter (where coalesce(follows_a_hole, false)) as hole_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each point is stored once (venue, market type, market, observed_at)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'values_are_possible', severity: 'critical', reason_code: 'negative_value',
    wanted: 'an amount or a value is given, finite and at least 0',
    offenders: impossible, examples: to_json(impossible_rows), assets: null},
  {rule: 'known_after_the_instant', severity: 'critical', reason_code: 'known_at_out_of_order',
    wanted: 'no point is known before its instant',
    offenders: too_early, examples: to_json(too_early_rows), assets: null},
  {rule: 'no_hour_is_missing', severity: 'warning', reason_code: 'missing_points',
    wanted: 'points follow each other by the hour (the venue keeps them 30 days; what was missed stays so)',
    offenders: holes, examples: to_json(hole_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
