-- Daily simple total return of each sleeve and asset, in US dollars, at 00:00 UTC.
--
-- key: as_of_date, sleeve, asset
-- as_of_date    | date of the instant 00:00 UTC at which the day ends                          | not null
-- sleeve        | spot (coins) or cash (stablecoins)                                           | not null
-- asset         | the asset                                                                    | not null
-- simple_return | price over the price one day before, less one; null after a gap, across a break of identity or without a price | > -1 or null
with prices as (
  select as_of_date, 'spot' as sleeve, asset, price_usd
  from mart.spot_prices
  where asset not in (from mart.stablecoin_assets)
  union all
  select as_of_date, 'cash', asset, price_usd
  from mart.stablecoin_prices
)
select
  prices.as_of_date,
  prices.sleeve,
  prices.asset,
  case
    when breaks.asset is null and lag(prices.as_of_date) over days = prices.as_of_date - 1
      then prices.price_usd / lag(prices.price_usd) over days - 1
  end as simple_return
from prices
left join mart.identity_breaks as breaks
  on prices.sleeve = 'spot' and breaks.asset = prices.asset and breaks.as_of_date = prices.as_of_date
window days as (partition by prices.sleeve, prices.asset order by prices.as_of_date)
