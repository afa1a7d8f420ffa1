-- Newest market capitalisation of each asset.
--
-- key: asset
-- asset          | the asset                                                                       | not null
-- market_cap_usd | price times current supply, in US dollars                                       | > 0
-- as_of_date     | date of the instant 00:00 UTC at which it held                                   | not null
-- age_days       | days from as_of_date to the newest daily close of any market; null without candles |
with newest as (
  select asset, max(period_start) as period_start, arg_max(value, period_start) as market_cap_usd
  from core.onchain_metrics
  where metric = 'CapMrktCurUSD' and isfinite(value) and value > 0
  group by asset
),
newest_close as (
  select cast(max(open_time) as date) + 1 as as_of_date
  from core.candles
  where timeframe = '1d'
)
select
  newest.asset,
  newest.market_cap_usd,
  cast(newest.period_start as date) + 1 as as_of_date,
  newest_close.as_of_date - (cast(newest.period_start as date) + 1) as age_days
from newest
cross join newest_close
