-- Daily simple total return of each sleeve and asset, in US dollars, at 00:00 UTC.
-- spot and cash: the price's own. carry: a coin, a short perpetual and margin; basis: a dated contract instead, left
-- roll_days before it expires for the next one. Both on capital S × (1 + 1/leverage), restored every day, for the
-- quote's own dollar price. yield and staking: a pool's rate on the asset, less the haircut. options: a covered call,
-- indicative. mart.sleeve_parameters says which lines there are; entering and leaving costs belong to trades.
--
-- key: as_of_date, sleeve, asset
-- as_of_date    | date of the instant 00:00 UTC at which the day ends                          | not null
-- sleeve        | spot (coins), cash (stablecoins), carry, basis, yield, staking or options    | not null
-- asset         | the asset                                                                    | not null
-- simple_return | gain of the day over capital at its opening; null after a gap, across a break of identity or where a part is missing | > -1 or null
with prices as (
  select as_of_date, 'spot' as sleeve, asset, price_usd
  from mart.spot_prices
  where asset not in (from mart.stablecoin_assets)
  union all
  select as_of_date, 'cash', asset, price_usd
  from mart.stablecoin_prices
),
plain as (
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
),
-- One market builds the whole history of a line: the first in place, there the one with most days.
carry_markets as (
  select rules.asset, days.venue, days.market_id, any_value(rules.leverage) as leverage
  from mart.carry_days as days
  inner join mart.sleeve_parameters as rules
    on rules.sleeve = 'carry' and rules.asset = days.asset and rules.venue = days.venue
  group by rules.asset, days.venue, days.market_id
  qualify row_number() over (partition by rules.asset order by min(rules.place), count(*) desc, days.market_id) = 1
),
-- The contract is chosen at the day's opening: the nearest one that is not about to be left.
basis_days as (
  select days.*, rules.leverage
  from mart.basis_days as days
  inner join mart.sleeve_parameters as rules
    on rules.sleeve = 'basis' and rules.asset = days.asset and rules.venue = days.venue
  qualify row_number() over (
    partition by days.as_of_date, days.asset
    order by
      days.days_to_expiry <= rules.roll_days,
      rules.place,
      case when days.days_to_expiry > rules.roll_days then days.days_to_expiry else -days.days_to_expiry end,
      days.market_id
  ) = 1
),
pool_days as (
  select
    cast(pools.period_start as date) + 1 as as_of_date,
    rules.sleeve,
    rules.asset,
    pow(1 + pools.apy_base + rules.reward_share * coalesce(pools.apy_reward, 0), 1 / 365) - 1 - rules.haircut / 365
      as day_yield
  from core.yield_pools as pools
  inner join mart.sleeve_parameters as rules using (pool)
  where rules.sleeve in ('yield', 'staking') and isfinite(pools.apy_base) and pools.apy_base > -1
  qualify row_number() over (partition by rules.sleeve, rules.asset, as_of_date order by rules.place) = 1
),
call_days as (
  select days.*
  from mart.covered_call_days as days
  inner join mart.sleeve_parameters as rules
    on rules.sleeve = 'options' and rules.asset = days.asset and rules.venue = days.venue
  where days.days_to_expiry > rules.roll_days and days.delta is not null
  qualify row_number() over (
    partition by days.as_of_date, days.asset
    order by rules.place, abs(days.days_to_expiry - rules.tenor_days), abs(days.delta - rules.delta), days.market_id
  ) = 1
)
select as_of_date, sleeve, asset, simple_return
from plain
union all
select
  days.as_of_date,
  'carry',
  days.asset,
  (1 + days.notional_return * markets.leverage / (markets.leverage + 1)) * (1 + days.quote_return) - 1
from mart.carry_days as days
inner join carry_markets as markets using (asset, venue, market_id)
union all
select
  as_of_date,
  'basis',
  asset,
  (1 + notional_return * leverage / (leverage + 1)) * (1 + quote_return) - 1
from basis_days
union all
select
  pool_days.as_of_date,
  pool_days.sleeve,
  pool_days.asset,
  (1 + pool_days.day_yield) * (1 + plain.simple_return) - 1
from pool_days
inner join plain using (as_of_date, asset)
union all
select call_days.as_of_date, 'options', call_days.asset, (1 + call_days.coin_return) * (1 + plain.simple_return) - 1
from call_days
inner join plain on plain.sleeve = 'spot' and plain.asset = call_days.asset and plain.as_of_date = call_days.as_of_date
