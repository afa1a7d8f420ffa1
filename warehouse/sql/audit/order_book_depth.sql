-- Which promises does the stored whole of core.order_book_depth break, and where?
with judged as (
  select
    {venue: venue, market_type: market_type, market_id: market_id, observed_at: observed_at} as key,
    observed_at,
    isfinite(bid) and isfinite(ask) and bid > 0 and ask > bid as is_uncrossed,
    isfinite(spread_bps) and spread_bps > 0 and spread_bps < 10000 as has_spread
  from core.order_book_depth
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_uncrossed, false)) as crossed,
    min_by(key, observed_at, 3) filter (where not coalesce(is_uncrossed, false)) as crossed_rows,
    count(*) filter (where not coalesce(has_spread, false)) as no_spread,
    min_by(key, observed_at, 3) filter (where not coalesce(has_spread, false)) as no_spread_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each book is stored once (venue, market type, market, observed_at)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'bid_below_ask', severity: 'critical', reason_code: 'crossed_book',
    wanted: 'the best bid is above 0 and below the best ask',
    offenders: crossed, examples: to_json(crossed_rows), assets: null},
  {rule: 'spread_is_possible', severity: 'critical', reason_code: 'inconsistent_spread',
    wanted: 'the spread is finite, above 0 and below 100 %',
    offenders: no_spread, examples: to_json(no_spread_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
