-- Crowding: open interest in perpetuals over the coin's market capitalisation. Positive: crowded; a fall is expected.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | open_interest_to_cap                                       | not null
-- value      | value of all open contracts over market capitalisation, a fraction | >= 0
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with points as (
  select
    cast(ceil(epoch(observed_at) / 86400) * interval 1 day + timestamp '1970-01-01' as date) as as_of_date,
    base as asset,
    venue,
    market_id,
    arg_max(open_interest, observed_at) as coins,
    arg_max(open_interest_quote, observed_at) as value_quote,
    arg_max(quote, observed_at) as quote,
    arg_max(known_at, observed_at) as known_at
  from core.open_interest
  group by as_of_date, asset, venue, market_id
),
days as (
  select
    points.as_of_date,
    points.asset,
    sum(
      coalesce(points.coins * days.price_usd, points.value_quote * quotes.quote_price_usd)
      order by points.venue, points.market_id
    ) as open_usd,
    max(greatest(points.known_at, days.known_at)) as known_at
  from points
  inner join mart.signal_days as days using (as_of_date, asset)
  left join mart.quote_prices as quotes on quotes.quote = points.quote and quotes.as_of_date = points.as_of_date
  group by points.as_of_date, points.asset
)
select
  days.as_of_date,
  days.asset,
  'open_interest_to_cap' as signal,
  days.open_usd / caps.value as value,
  greatest(days.known_at, caps.known_at) as known_at
from days
inner join core.onchain_metrics as caps
  on caps.asset = days.asset and caps.metric = 'CapMrktCurUSD'
  and cast(caps.period_start as date) + 1 = days.as_of_date
where isfinite(caps.value) and caps.value > 0 and isfinite(days.open_usd)
