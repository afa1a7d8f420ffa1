-- What signals start from: each coin's price, return and volume of a day, and when the last of it was known.
--
-- key: as_of_date, asset
-- as_of_date    | date of the instant 00:00 UTC at which the day ends                     | not null
-- asset         | the coin                                                                | not null
-- price_usd     | its price at that instant, in US dollars                                | > 0
-- simple_return | gain over the day before; null after a gap or across a break of identity | > -1 or null
-- volume_usd    | traded that day on spot markets, in US dollars                          | >= 0 or null
-- known_at      | when the last of the day's candles could first have been had, UTC       | not null
with known as (
  select cast(open_time as date) + 1 as as_of_date, base as asset, max(known_at) as known_at
  from core.candles
  where market_type = 'spot' and timeframe = '1d'
  group by as_of_date, asset
)
select
  prices.as_of_date,
  prices.asset,
  prices.price_usd,
  case
    when breaks.asset is null and lag(prices.as_of_date) over days = prices.as_of_date - 1
      then prices.price_usd / lag(prices.price_usd) over days - 1
  end as simple_return,
  prices.volume_usd,
  known.known_at
from mart.spot_prices as prices
inner join known using (as_of_date, asset)
left join mart.identity_breaks as breaks using (as_of_date, asset)
where prices.price_usd is not null and prices.asset not in (from mart.stablecoin_assets)
window days as (partition by prices.asset order by prices.as_of_date)
