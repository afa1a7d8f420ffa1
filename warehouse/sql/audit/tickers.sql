-- Which promises does the stored whole of core.tickers break, and where?
with judged as (
  select
    {venue: venue, market_type: market_type, market_id: market_id, observed_at: observed_at} as key,
    observed_at,
    (bid is null or (isfinite(bid) and bid > 0))
      and (ask is null or (isfinite(ask) and ask > 0))
      and (last is null or (isfinite(last) and last > 0))
      and coalesce(bid, ask, last) is not null as is_possible,
    bid is null or ask is null or (isfinite(bid) and isfinite(ask) and bid <= ask) as is_uncrossed,
    (base_volume_24h is null or (isfinite(base_volume_24h) and base_volume_24h >= 0))
      and (quote_volume_24h is null or (isfinite(quote_volume_24h) and quote_volume_24h >= 0)) as has_volume
  from core.tickers
),
rows_judged as (
  select
    count(*) as total,
    count(*) - count(distinct key) as repeated,
    count(*) filter (where not coalesce(is_possible, false)) as impossible,
    min_by(key, observed_at, 3) filter (where not coalesce(is_possible, false)) as impossible_rows,
    count(*) filter (where not coalesce(is_uncrossed, false)) as crossed,
    min_by(key, observed_at, 3) filter (where not coalesce(is_uncrossed, false)) as crossed_rows,
    count(*) filter (where not coalesce(has_volume, false)) as negative,
    min_by(key, observed_at, 3) filter (where not coalesce(has_volume, false)) as negative_rows
  from judged
)
select unnest([
  {rule: 'key_is_unique', severity: 'critical', reason_code: 'duplicate_key',
    wanted: 'each ticker is stored once (venue, market type, market, observed_at)',
    offenders: repeated, examples: null::json, assets: null::varchar[]},
  {rule: 'prices_are_possible', severity: 'critical', reason_code: 'impossible_price',
    wanted: 'a bid, an ask or a last price is given, each finite and above 0',
    offenders: impossible, examples: to_json(impossible_rows), assets: null},
  {rule: 'bid_not_above_ask', severity: 'critical', reason_code: 'crossed_book',
    wanted: 'the bid is not above the ask',
    offenders: crossed, examples: to_json(crossed_rows), assets: null},
  {rule: 'volumes_are_possible', severity: 'critical', reason_code: 'negative_value',
    wanted: 'volumes are finite and at least 0, or not told',
    offenders: negative, examples: to_json(negative_rows), assets: null}
], recursive := true), total as rows_judged
from rows_judged
