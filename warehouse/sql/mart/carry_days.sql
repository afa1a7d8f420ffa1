-- What one coin with a short perpetual beside it earned each day, in its parts; before margin and leverage.
-- The coin is paid for; the perpetual settles in its quote. With margin of 1/L of the coin's price at the day's
-- opening, restored every day, the return on capital is
-- (1 + notional_return × L / (L + 1)) × (1 + quote_return) − 1: mart.sleeve_returns has it.
--
-- key: as_of_date, venue, market_id
-- as_of_date      | date of the instant 00:00 UTC at which the day ends                                  | not null
-- asset           | the coin                                                                             | not null
-- venue           | exchange of the perpetual, by its ccxt id                                            | not null
-- market_id       | the venue's own id of the perpetual                                                  | not null
-- quote           | the currency that the perpetual is margined and settled in                           | not null
-- price_kind      | traded: closes of trades; mark: closes of the mark price, where nothing else is known | not null
-- spot_open       | price of the coin at the day's opening, in quote; the median over the venues         | > 0 or null
-- spot_change     | its change over the day, in quote                                                    | finite or null
-- perp_open       | price of the perpetual at the day's opening, in quote                                | > 0 or null
-- perp_change     | its change over the day, in quote; null after a gap                                  | finite or null
-- funding         | funding received by the short for one coin, in quote; null unless the whole day is covered | finite or null
-- quote_return    | change of the quote's own dollar price over the day                                  | > -1 or null
-- notional_return | (spot_change - perp_change + funding) / spot_open; null where a part is missing or across a break of identity | finite or null
with closes as (
  select cast(open_time as date) + 1 as as_of_date, venue, market_id, base as asset, quote, close, 'traded' as price_kind
  from core.candles
  where market_type = 'perp' and timeframe = '1d' and isfinite(close) and close > 0
  union all
  select cast(open_time as date) + 1, venue, market_id, base, quote, close, 'mark'
  from core.mark_candles
  where timeframe = '1d' and isfinite(close) and close > 0
),
opened as (
  select *, case when lag(as_of_date) over market = as_of_date - 1 then lag(close) over market end as perp_open
  from closes
  window market as (partition by venue, market_id, price_kind order by as_of_date)
),
-- A day is traded or mark throughout: the difference between the two is no return.
perps as (
  select *
  from opened
  qualify row_number() over (
    partition by venue, market_id, as_of_date order by perp_open is null, price_kind desc
  ) = 1
),
spots as (
  select as_of_date, asset, price_usd
  from mart.spot_prices
  where price_usd is not null
),
parts as (
  select
    perps.as_of_date,
    perps.asset,
    perps.venue,
    perps.market_id,
    perps.quote,
    perps.price_kind,
    spots_before.price_usd / quotes_before.quote_price_usd as spot_open,
    spots.price_usd / quotes.quote_price_usd - spots_before.price_usd / quotes_before.quote_price_usd as spot_change,
    perps.perp_open,
    perps.close - perps.perp_open as perp_change,
    case
      -- Where no mark price is known, the price at the opening stands in for it.
      when abs(funding.hours_covered - 24) < 0.01
        then coalesce(funding.funding_per_coin, funding.funding_rate * perps.perp_open)
    end as funding,
    quotes.quote_price_usd / quotes_before.quote_price_usd - 1 as quote_return,
    breaks.asset is not null as is_broken
  from perps
  left join spots on spots.asset = perps.asset and spots.as_of_date = perps.as_of_date
  left join spots as spots_before
    on spots_before.asset = perps.asset and spots_before.as_of_date = perps.as_of_date - 1
  left join mart.quote_prices as quotes on quotes.quote = perps.quote and quotes.as_of_date = perps.as_of_date
  left join mart.quote_prices as quotes_before
    on quotes_before.quote = perps.quote and quotes_before.as_of_date = perps.as_of_date - 1
  left join mart.funding_days as funding
    on funding.venue = perps.venue and funding.market_id = perps.market_id and funding.as_of_date = perps.as_of_date
  left join mart.identity_breaks as breaks
    on breaks.asset = perps.asset and breaks.as_of_date = perps.as_of_date
)
select
  as_of_date,
  asset,
  venue,
  market_id,
  quote,
  price_kind,
  spot_open,
  spot_change,
  perp_open,
  perp_change,
  funding,
  quote_return,
  case when not is_broken then (spot_change - perp_change + funding) / spot_open end as notional_return
from parts
