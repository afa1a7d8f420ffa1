-- What trading each market costs and bears: volume, spread and volatility up to its newest daily close.
--
-- key: venue, market_type, market_id
-- asset                    | the asset that is traded                                           | not null
-- venue                    | exchange, by its ccxt id                                           | not null
-- market_id                | the venue's own market id                                          | not null
-- symbol                   | ccxt's unified symbol, for reading only                            | not null
-- market_type              | spot, perp, future or option                                       | not null
-- average_daily_volume_usd | mean of the days there are among the last 30, in US dollars        | >= 0 or null
-- half_spread_bps          | half the spread of the newest book, in basis points of mid         | > 0 or null
-- daily_volatility         | standard deviation of daily simple returns over 90 days, a fraction | >= 0 or null
-- as_of_date               | date of the market's newest daily close                            | not null
with days as (
  select
    candles.venue,
    candles.market_id,
    candles.symbol,
    candles.base as asset,
    candles.market_type,
    cast(candles.open_time as date) + 1 as as_of_date,
    candles.close,
    coalesce(candles.quote_volume, candles.base_volume * candles.close) * quotes.quote_price_usd as volume_usd
  from core.candles as candles
  inner join mart.quote_prices as quotes
    on quotes.quote = candles.quote and quotes.as_of_date = cast(candles.open_time as date) + 1
  where candles.timeframe = '1d' and isfinite(candles.close) and candles.close > 0
),
returns as (
  select
    *,
    max(as_of_date) over (partition by venue, market_type, market_id) as newest_date,
    case when lag(as_of_date) over market = as_of_date - 1 then close / lag(close) over market - 1 end as simple_return
  from days
  window market as (partition by venue, market_type, market_id order by as_of_date)
),
books as (
  select venue, market_type, market_id, arg_max(spread_bps, observed_at) / 2 as half_spread_bps
  from core.order_book_depth
  where isfinite(spread_bps)
  group by venue, market_type, market_id
)
-- Means run in a fixed order: a decision that is made again must find the same last digit.
select
  returns.asset,
  returns.venue,
  returns.market_id,
  arg_max(returns.symbol, returns.as_of_date) as symbol,
  returns.market_type,
  avg(returns.volume_usd order by as_of_date) filter (where newest_date - as_of_date < 30) as average_daily_volume_usd,
  any_value(books.half_spread_bps) as half_spread_bps,
  stddev_samp(returns.simple_return order by as_of_date)
    filter (where newest_date - as_of_date < 90) as daily_volatility,
  max(returns.as_of_date) as as_of_date
from returns
left join books using (venue, market_type, market_id)
group by returns.asset, returns.venue, returns.market_type, returns.market_id
