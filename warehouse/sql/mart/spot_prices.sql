-- Daily closing price of each asset at 00:00 UTC, in US dollars through the quote currency's own price, median over venues.
--
-- key: as_of_date, asset
-- as_of_date         | date of the closing instant 00:00 UTC: the daily candle's open plus one day   | not null
-- asset              | the asset that is priced                                                     | not null
-- price_quote        | median close of the markets in the quote named beside it                     | > 0
-- quote              | the quote currency with the most volume that day                             | not null
-- price_usd          | median over the markets that agree, in US dollars; null without a quorum or a dollar price of the quote | > 0 or null
-- venues             | number of venues behind price_usd                                            | >= 0
-- volume_usd         | traded that day on these markets, in US dollars                              | >= 0 or null
-- quote_price_usd    | dollar price of the quote that was used; null if none within 7 days          | > 0 or null
-- quote_price_source | definition (the dollar itself), same_day, earlier_day or none                | not null
with listed as (
  select
    cast(candles.open_time as date) + 1 as as_of_date,
    candles.base as asset,
    candles.quote,
    candles.venue,
    candles.close as price_quote,
    quotes.quote_price_usd,
    quotes.quote_price_source,
    coalesce(candles.quote_volume, candles.base_volume * candles.close) as volume_quote
  from core.candles as candles
  inner join mart.quote_prices as quotes
    on quotes.quote = candles.quote and quotes.as_of_date = cast(candles.open_time as date) + 1
  where
    candles.market_type = 'spot' and candles.timeframe = '1d'
    and isfinite(candles.close) and candles.close > 0
    and candles.venue not in (select venue from mart.venue_roles where not is_reference)
),
-- Only markets that agree count, by the rule of mart.venue_prices; where most do not, there is no price.
deviating as (
  select *,
    abs(price_quote * quote_price_usd / median(price_quote * quote_price_usd) over same_day - 1) as deviation,
    count(quote_price_usd) over same_day as markets
  from listed
  window same_day as (partition by as_of_date, asset)
),
limited as (
  select deviating.*,
    case
      when markets = 2 then two_venues
      else least(greatest(floor, mads * median(deviation) over (partition by as_of_date, asset)), ceiling)
    end as deviation_limit
  from deviating
  cross join mart.agreement_limits
),
closes as (
  select *, coalesce(deviation <= deviation_limit, false) as is_agreeing
  from limited
),
per_quote as (
  select
    as_of_date,
    asset,
    quote,
    coalesce(median(price_quote) filter (where is_agreeing), median(price_quote)) as price_quote,
    any_value(quote_price_usd) as quote_price_usd,
    any_value(quote_price_source) as quote_price_source,
    row_number() over (
      partition by as_of_date, asset
      order by coalesce(sum(volume_quote order by volume_quote) * any_value(quote_price_usd), 0) desc, quote
    ) as place
  from closes
  group by as_of_date, asset, quote
),
per_asset as (
  select
    as_of_date,
    asset,
    case
      when count(*) filter (where is_agreeing) * 2 > any_value(markets)
        then median(price_quote * quote_price_usd) filter (where is_agreeing)
    end as price_usd,
    count(distinct venue) filter (where is_agreeing) as venues,
    sum(volume_quote * quote_price_usd order by volume_quote) as volume_usd
  from closes
  group by as_of_date, asset
)
select
  per_asset.as_of_date,
  per_asset.asset,
  per_quote.price_quote,
  per_quote.quote,
  per_asset.price_usd,
  per_asset.venues,
  per_asset.volume_usd,
  per_quote.quote_price_usd,
  per_quote.quote_price_source
from per_asset
inner join per_quote using (as_of_date, asset)
where per_quote.place = 1
