-- How a coin moves with stocks, rates, the dollar and fear: correlation over common trading days, nothing filled forward.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | correlation_sp500, correlation_dgs10, correlation_dtwexbgs, correlation_vixcls; no sign is expected | not null
-- value      | correlation of changes over the last 90 common trading days | -1 to 1
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with observed as (
  select
    cast(period_start as date) + 1 as as_of_date,
    series_id,
    -- A rate moves in points, a price in per cent.
    case when series_id = 'DGS10' then value else ln(value) end as level,
    known_at
  from core.macro_series
  where series_id in ('SP500', 'DGS10', 'DTWEXBGS', 'VIXCLS') and isfinite(value)
    and (series_id = 'DGS10' or value > 0)
),
common as (
  select
    observed.as_of_date,
    days.asset,
    observed.series_id,
    observed.level - lag(observed.level) over trading as macro_change,
    ln(days.price_usd) - lag(ln(days.price_usd)) over trading as coin_change,
    greatest(observed.known_at, days.known_at) as known_at
  from observed
  inner join mart.signal_days as days using (as_of_date)
  window trading as (partition by days.asset, observed.series_id order by observed.as_of_date)
)
select
  as_of_date,
  asset,
  'correlation_' || lower(series_id) as signal,
  corr(macro_change, coin_change) over last_90 as value,
  known_at
from common
window last_90 as (partition by asset, series_id order by as_of_date rows between 89 preceding and current row)
qualify count(macro_change) over last_90 = 90 and isfinite(corr(macro_change, coin_change) over last_90)
