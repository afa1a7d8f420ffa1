-- Momentum: what a coin returned over the last 30 and 90 days; positive: it rose, and is expected to go on.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | momentum_30, momentum_90                                   | not null
-- value      | simple return over the window, a fraction; a window with a gap or a break of identity has none | > -1
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with windows as (
  select
    as_of_date,
    asset,
    known_at,
    sum(ln(1 + simple_return)) over month as log_30,
    count(simple_return) over month as days_30,
    sum(ln(1 + simple_return)) over quarter as log_90,
    count(simple_return) over quarter as days_90
  from mart.signal_days
  window
    month as (partition by asset order by as_of_date range between interval 29 days preceding and current row),
    quarter as (partition by asset order by as_of_date range between interval 89 days preceding and current row)
)
select as_of_date, asset, 'momentum_30' as signal, exp(log_30) - 1 as value, known_at
from windows
where days_30 = 30
union all
select as_of_date, asset, 'momentum_90', exp(log_90) - 1, known_at
from windows
where days_90 = 90
