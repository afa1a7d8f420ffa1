-- US dollar price of each stablecoin at the end of each day: the median of its markets against dollars, else of its references.
--
-- key: as_of_date, asset
-- as_of_date | date of the instant 00:00 UTC at which the price held                                  | not null
-- asset      | the stablecoin, upper case                                                             | not null
-- price_usd  | median price of one token over the sources, in US dollars                              | > 0
-- sources    | venues, or where none had a price that day providers, behind the price, in order       | not empty
with prices as (
  select cast(period_start as date) + 1 as as_of_date, asset, value as price_usd, provider as source, false as is_market
  from core.onchain_metrics
  where metric = 'PriceUSD'
  union all
  select cast(period_start as date) + 1, asset, price_usd, provider, false
  from core.stablecoins
  union all
  select cast(open_time as date) + 1, base, close, venue, true
  from core.candles
  where
    market_type = 'spot' and timeframe = '1d' and quote = 'USD'
    and venue not in (select venue from mart.venue_roles where not is_reference)
),
-- A market's price holds at that very instant; a reference is an average that is published a day late.
preferred as (
  select *, bool_or(is_market) over (partition by as_of_date, asset) as has_market
  from prices
  where asset in (from mart.stablecoin_assets) and isfinite(price_usd) and price_usd > 0
)
select
  as_of_date,
  asset,
  median(price_usd) as price_usd,
  array_agg(distinct source order by source) as sources
from preferred
where is_market = has_market
group by as_of_date, asset
