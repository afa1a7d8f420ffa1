-- Dollars on chain: growth of the supply of all stablecoins, the same for every coin; +: money arrives, a rise is expected.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | stablecoin_supply_growth                                   | not null
-- value      | supply over that of the same stablecoins 30 days before, less 1 | > -1
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with supplies as (
  select cast(period_start as date) + 1 as as_of_date, asset, median(supply) as supply, max(known_at) as known_at
  from core.stablecoins
  where isfinite(supply) and supply > 0
  group by as_of_date, asset
),
growth as (
  select
    now.as_of_date,
    sum(now.supply order by asset) / sum(before.supply order by asset) - 1 as value,
    max(now.known_at) as known_at
  from supplies as now
  inner join supplies as before using (asset)
  where before.as_of_date = now.as_of_date - 30
  group by now.as_of_date
)
select
  growth.as_of_date,
  days.asset,
  'stablecoin_supply_growth' as signal,
  growth.value,
  greatest(growth.known_at, days.known_at) as known_at
from growth
inner join mart.signal_days as days using (as_of_date)
