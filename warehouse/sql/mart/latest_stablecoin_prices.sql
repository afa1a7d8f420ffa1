-- Newest US dollar price of each stablecoin: of its markets against dollars by the hour, else of the newest day.
--
-- key: asset
-- asset     | the stablecoin, upper case                                                   | not null
-- price_usd | median price of one token over the sources, in US dollars                    | > 0
-- price_at  | instant at which it held, UTC                                                | not null
-- sources   | venues, or where none is as new providers, behind the price, in order        | not empty
with lengths (timeframe, seconds) as (
  values ('1m', 60), ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200), ('4h', 14400),
    ('6h', 21600), ('8h', 28800), ('12h', 43200), ('1d', 86400), ('1w', 604800)
),
closes as (
  select base as asset, venue, close as price_usd, open_time + to_seconds(seconds) as price_at
  from core.candles
  inner join lengths using (timeframe)
  where
    market_type = 'spot' and quote = 'USD' and base in (from mart.stablecoin_assets)
    and isfinite(close) and close > 0
    and venue not in (select venue from mart.venue_roles where not is_reference)
),
per_venue as (
  select asset, venue, arg_max(price_usd, price_at) as price_usd, max(price_at) as price_at
  from closes
  group by asset, venue
),
-- A venue that lags behind the others says nothing about now.
present as (
  select per_venue.*
  from per_venue
  cross join mart.agreement_limits
  qualify price_at >= max(price_at) over (partition by asset) - to_seconds(max_lag_seconds)
),
said as (
  select asset, median(price_usd) as price_usd, max(price_at) as price_at, array_agg(venue order by venue) as sources
  from present
  group by asset
  union all
  select asset, price_usd, cast(as_of_date as timestamp), sources
  from mart.stablecoin_prices
)
select asset, price_usd, price_at, sources
from said
qualify row_number() over (partition by asset order by price_at desc, len(sources) desc, price_usd) = 1
