-- Signals of every coin and day, each against its own past year; which of them say anything is told by evidence, not here.
-- What each one means, its unit and its expected sign stand in the comment of the view that it comes from.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks        | not null
-- asset      | the coin                                                          | not null
-- signal     | its name                                                          | not null
-- value      | the signal in its own unit                                        | finite
-- z_score    | value less the mean of the 365 days before, over their deviation; the day itself does not count; null with fewer than 26 values or 180 days | finite or null
-- known_at   | when the newest figure behind it could first have been had, UTC   | not null
with every as (
  from mart.signal_momentum
  union all by name
  from mart.signal_funding
  union all by name
  from mart.signal_basis
  union all by name
  from mart.signal_open_interest
  union all by name
  from mart.signal_network
  union all by name
  from mart.signal_value_locked
  union all by name
  from mart.signal_stablecoin_supply
  union all by name
  from mart.signal_positioning
  union all by name
  from mart.signal_macro
  union all by name
  from mart.signal_regime
  union all by name
  from mart.signal_lead_lag
),
measured as (
  select
    *,
    avg(value) over earlier as mean,
    stddev_samp(value) over earlier as deviation,
    count(*) over earlier as values_before,
    as_of_date - cast(min(as_of_date) over earlier as date) as days_before
  from every
  where isfinite(value)
  window earlier as (
    partition by signal, asset
    order by as_of_date range between interval 365 days preceding and interval 1 day preceding
  )
)
select
  as_of_date,
  asset,
  signal,
  value,
  -- What only rounding moves has no scale.
  case
    when values_before >= 26 and days_before >= 180 and deviation > 1e-12 * (abs(mean) + 1e-12)
      then (value - mean) / deviation
  end as z_score,
  known_at
from measured
