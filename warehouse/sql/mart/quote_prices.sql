-- US dollar price of each currency that markets are quoted in, for every day on which one of them closed.
--
-- key: as_of_date, quote
-- as_of_date         | date of the closing instant 00:00 UTC                              | not null
-- quote              | the currency that prices are in                                    | not null
-- quote_price_usd    | its newest price on or before that day; null if none within 7 days | > 0 or null
-- quote_price_source | definition (the dollar itself), same_day, earlier_day or none      | not null
-- age_days           | days between the price used and the day it is used for             | 0 to 7 or null
with quote_days as (
  select distinct cast(open_time as date) + 1 as as_of_date, quote
  from core.candles
  where timeframe = '1d'
),
matched as (
  select days.as_of_date, days.quote, prices.price_usd, days.as_of_date - prices.as_of_date as age_days
  from quote_days as days
  asof left join mart.stablecoin_prices as prices
    on days.quote = prices.asset and days.as_of_date >= prices.as_of_date
)
select
  as_of_date,
  quote,
  case when quote = 'USD' then 1.0 when age_days <= 7 then price_usd end as quote_price_usd,
  case
    when quote = 'USD' then 'definition'
    when age_days = 0 then 'same_day'
    when age_days <= 7 then 'earlier_day'
    else 'none'
  end as quote_price_source,
  case when quote = 'USD' then 0 when age_days <= 7 then age_days end as age_days
from matched
