-- What one coin with a short dated contract beside it earned each day, for every contract; before margin and leverage.
-- A contract settles at its venue's index, at which the coin is sold in the same moment: the day on which it expires
-- earns what was left of the basis, whatever the coin does after. Which contract a line holds is a matter of the roll
-- rule in mart.sleeve_returns; no return here spans two contracts. Coin-margined contracts are left out.
--
-- key: as_of_date, venue, market_id
-- as_of_date      | date of the instant 00:00 UTC at which the day ends                              | not null
-- asset           | the coin                                                                         | not null
-- venue           | exchange of the contract, by its ccxt id                                         | not null
-- market_id       | the venue's own id of the contract                                               | not null
-- quote           | the currency that the contract is margined and settled in                        | not null
-- expires_at      | delivery instant of the contract, UTC                                            | not null
-- days_to_expiry  | days from the day's opening to delivery                                          | > 0
-- spot_open       | price of the coin at the day's opening, in quote; the median over the venues     | > 0 or null
-- future_open     | price of the contract at the day's opening, in quote                             | > 0
-- gain            | change of the coin less change of the contract, in quote; null across a gap      | finite or null
-- quote_return    | change of the quote's own dollar price over the day                              | > -1 or null
-- notional_return | gain / spot_open; null where a part is missing or across a break of identity     | finite or null
with contracts as (
  select venue, market_id, base as asset, quote, expires_at
  from core.instruments
  where market_type = 'future' and expires_at is not null and isfinite(contract_size) and contract_size > 0
),
closes as (
  select cast(candles.open_time as date) + 1 as opens_on, contracts.*, candles.close
  from core.candles as candles
  inner join contracts using (venue, market_id)
  where candles.market_type = 'future' and candles.timeframe = '1d' and isfinite(candles.close) and candles.close > 0
),
held as (
  select
    opens_on + 1 as as_of_date,
    venue,
    market_id,
    asset,
    quote,
    expires_at,
    epoch(expires_at - opens_on) / 86400 as days_to_expiry,
    close as future_open,
    case when lead(opens_on) over market = opens_on + 1 then lead(close) over market end as future_close,
    expires_at <= opens_on + 1 as is_settled
  from closes
  where expires_at > opens_on
  window market as (partition by venue, market_id order by opens_on)
),
spots as (
  select as_of_date, asset, price_usd
  from mart.spot_prices
  where price_usd is not null
),
parts as (
  select
    held.*,
    spots_before.price_usd / quotes_before.quote_price_usd as spot_open,
    spots.price_usd / quotes.quote_price_usd as spot_close,
    quotes.quote_price_usd / quotes_before.quote_price_usd - 1 as quote_return,
    breaks.asset is not null as is_broken
  from held
  left join spots on spots.asset = held.asset and spots.as_of_date = held.as_of_date
  left join spots as spots_before
    on spots_before.asset = held.asset and spots_before.as_of_date = held.as_of_date - 1
  left join mart.quote_prices as quotes on quotes.quote = held.quote and quotes.as_of_date = held.as_of_date
  left join mart.quote_prices as quotes_before
    on quotes_before.quote = held.quote and quotes_before.as_of_date = held.as_of_date - 1
  left join mart.identity_breaks as breaks
    on breaks.asset = held.asset and breaks.as_of_date = held.as_of_date
  -- The day that is not over yet has no return.
  where held.as_of_date <= (select max(as_of_date) from spots)
),
gains as (
  select *,
    case
      when is_settled then future_open - spot_open
      else spot_close - spot_open - (future_close - future_open)
    end as gain
  from parts
)
select
  as_of_date,
  asset,
  venue,
  market_id,
  quote,
  expires_at,
  days_to_expiry,
  spot_open,
  future_open,
  gain,
  quote_return,
  case when not is_broken then gain / spot_open end as notional_return
from gains
