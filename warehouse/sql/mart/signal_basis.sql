-- Basis: how far contracts stand above the coin. Positive: longs pay for leverage; a fall is expected.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | basis (the dated contract nearest to expiry with 7 days or more left), perp_premium (perpetuals, mean over 7 days) | not null
-- value      | basis: contract over coin less 1, simple, annual; perp_premium: the same for a perpetual, not annualised | finite
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with closes as (
  select venue, market_type, market_id, base as asset, quote, open_time, close, known_at, 1 as place
  from core.mark_candles
  where timeframe = '1d' and isfinite(close) and close > 0
  union all
  select venue, market_type, market_id, base, quote, open_time, close, known_at, 2
  from core.candles
  where timeframe = '1d' and market_type in ('perp', 'future') and isfinite(close) and close > 0
),
contracts as (
  select
    cast(closes.open_time as date) + 1 as as_of_date,
    closes.*
  from closes
  qualify row_number() over (partition by venue, market_type, market_id, open_time order by place) = 1
),
premiums as (
  select
    contracts.as_of_date,
    contracts.asset,
    contracts.venue,
    contracts.market_id,
    contracts.market_type,
    contracts.close * quotes.quote_price_usd / days.price_usd - 1 as premium,
    greatest(contracts.known_at, days.known_at) as known_at
  from contracts
  inner join mart.quote_prices as quotes
    on quotes.quote = contracts.quote and quotes.as_of_date = contracts.as_of_date
  inner join mart.signal_days as days
    on days.asset = contracts.asset and days.as_of_date = contracts.as_of_date
  where quotes.quote_price_usd is not null
),
dated as (
  select premiums.*, epoch(rules.expires_at - premiums.as_of_date) / 86400 as days_left
  from premiums
  inner join core.instruments as rules using (venue, market_type, market_id)
  where premiums.market_type = 'future' and rules.expires_at is not null
),
nearest as (
  select *
  from dated
  where days_left >= 7
  qualify rank() over (partition by as_of_date, asset order by cast(days_left as integer)) = 1
),
perpetuals as (
  select as_of_date, asset, avg(premium order by premium) as premium, max(known_at) as known_at
  from premiums
  where market_type = 'perp'
  group by as_of_date, asset
)
select
  as_of_date, asset, 'basis' as signal, avg(premium * 365 / days_left order by premium) as value, max(known_at) as known_at
from nearest
group by as_of_date, asset
union all
select as_of_date, asset, 'perp_premium', avg(premium) over week, known_at
from perpetuals
window week as (partition by asset order by as_of_date range between interval 6 days preceding and current row)
qualify count(*) over week = 7
