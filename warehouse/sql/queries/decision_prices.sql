-- What is each coin worth now, by the newest closed candle of each venue, and how many venues say so?
select
  asset,
  median(price_usd) as price_usd,
  median(price_quote) as price_quote,
  max(price_at) as price_at,
  count(distinct venue) as venues,
  (max(price_usd) - min(price_usd)) / median(price_usd) as spread_of_venues,
  arg_max(timeframe, price_at) as timeframe
from mart.latest_prices
where list_contains($assets, asset)
  and price_at > $oldest
group by asset
order by asset
