-- Lead and lag: what bitcoin's last day says of a coin's next; +: a rise is expected.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | lead_lag_btc                                               | not null
-- value      | slope of the coin's returns on bitcoin's of the day before, over 90 days, times bitcoin's last return, a fraction | finite
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with bitcoin as (
  select as_of_date, simple_return
  from mart.signal_days
  where asset = 'BTC'
),
pairs as (
  select
    days.as_of_date,
    days.asset,
    days.simple_return,
    today.simple_return as leader,
    yesterday.simple_return as leader_before,
    days.known_at
  from mart.signal_days as days
  inner join bitcoin as today on today.as_of_date = days.as_of_date
  left join bitcoin as yesterday on yesterday.as_of_date = days.as_of_date - 1
  where days.asset <> 'BTC' and days.simple_return is not null
)
select
  as_of_date,
  asset,
  'lead_lag_btc' as signal,
  regr_slope(simple_return, leader_before) over quarter * leader as value,
  known_at
from pairs
window quarter as (partition by asset order by as_of_date range between interval 89 days preceding and current row)
qualify count(leader_before) over quarter >= 80 and leader is not null
  and isfinite(regr_slope(simple_return, leader_before) over quarter)
