-- Newest closed price of each spot market, whatever the timeframe it comes from.
--
-- key: venue, market_id
-- asset           | the asset that is priced                                                   | not null
-- venue           | exchange, by its ccxt id                                                   | not null
-- market_id       | the venue's own market id                                                  | not null
-- quote           | the currency the price is in                                               | not null
-- price_quote     | close of the newest closed candle, in quote                                | > 0
-- price_usd       | the same in US dollars; null when the quote has no dollar price within 7 days | > 0 or null
-- price_at        | instant of that close, UTC                                                 | not null
-- timeframe       | timeframe of that candle                                                   | not null
-- quote_price_usd | dollar price of the quote that was used                                    | > 0 or null
with lengths (timeframe, seconds) as (
  values ('1m', 60), ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200), ('4h', 14400),
    ('6h', 21600), ('8h', 28800), ('12h', 43200), ('1d', 86400), ('1w', 604800)
),
newest_per_timeframe as (
  select
    venue,
    market_id,
    base as asset,
    quote,
    timeframe,
    max(open_time) as open_time,
    arg_max(close, open_time) as price_quote
  from core.candles
  where
    market_type = 'spot' and isfinite(close) and close > 0
    and venue not in (select venue from mart.venue_roles where not is_reference)
  group by venue, market_id, base, quote, timeframe
),
newest as (
  select
    newest_per_timeframe.*,
    open_time + to_seconds(seconds) as price_at,
    row_number() over (partition by venue, market_id order by open_time + to_seconds(seconds) desc, seconds) as place
  from newest_per_timeframe
  inner join lengths using (timeframe)
),
priced as (
  select
    newest.asset,
    newest.venue,
    newest.market_id,
    newest.quote,
    newest.price_quote,
    newest.price_at,
    newest.timeframe,
    case
      when newest.quote = 'USD' then 1.0
      -- The quote's own dollar price of the hour, where one of its markets has it; else that of the day.
      when abs(epoch(latest.price_at - newest.price_at)) <= 6 * 3600 then latest.price_usd
      when cast(newest.price_at as date) - prices.as_of_date <= 7 then prices.price_usd
    end as quote_price_usd
  from newest
  asof left join mart.stablecoin_prices as prices
    on newest.quote = prices.asset and cast(newest.price_at as date) >= prices.as_of_date
  left join mart.latest_stablecoin_prices as latest on latest.asset = newest.quote
  where newest.place = 1
)
select
  asset,
  venue,
  market_id,
  quote,
  price_quote,
  price_quote * quote_price_usd as price_usd,
  price_at,
  timeframe,
  quote_price_usd
from priced
