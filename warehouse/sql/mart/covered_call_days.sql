-- What one coin with a written call on it earned each day, in coins, for every call of the option chains as they were read.
-- Indicative: mark to mark of one call between two readings; the premium stays in coins, as the venue settles it.
-- Which call a line holds is a matter of the rule in mart.sleeve_returns. Only calls that are quoted in the coin.
--
-- key: as_of_date, venue, market_id
-- as_of_date         | date of the instant 00:00 UTC at which the day ends                        | not null
-- asset              | the coin                                                                   | not null
-- venue              | exchange of the option, by its ccxt id                                     | not null
-- market_id          | the option's own id                                                        | not null
-- strike             | strike price, in US dollars                                                | > 0
-- days_to_expiry     | days from the day's opening to expiry                                      | > 0
-- implied_volatility | of this strike at the day's opening, annualised, a fraction                | > 0 or null
-- delta              | of the call at the day's opening                                           | 0 to 1 or null
-- call_open          | mark price of the call at the day's opening, in coins                      | 0 to 1
-- coin_return        | what the coin with the written call grew by, in coins; null across a gap   | finite or null
with readings as (
  -- A chain of the last hours of a day stands for the day's end.
  select
    cast(observed_at + interval 12 hours as date) as opens_on,
    base as asset,
    venue,
    market_id,
    any_value(strike) as strike,
    any_value(expires_at) as expires_at,
    arg_max(mark_price, observed_at) as mark_price,
    arg_max(implied_volatility, observed_at) as implied_volatility,
    arg_max(delta, observed_at) as delta
  from core.implied_volatility
  where
    kind = 'option' and option_type = 'call' and isfinite(mark_price) and mark_price between 0 and 1
    and (observed_at::time >= time '12:00' or observed_at::time = time '00:00')
  group by opens_on, base, venue, market_id
),
held as (
  select
    opens_on + 1 as as_of_date,
    asset,
    venue,
    market_id,
    strike,
    epoch(expires_at - opens_on) / 86400 as days_to_expiry,
    implied_volatility,
    delta,
    mark_price as call_open,
    case when lead(opens_on) over market = opens_on + 1 then mark_price - lead(mark_price) over market end as coin_return
  from readings
  where expires_at > opens_on
  window market as (partition by venue, market_id order by opens_on)
)
select *
from held
where as_of_date <= (select max(opens_on) from readings)
