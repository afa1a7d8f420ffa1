-- The network: use and price of use, new coins, what holders paid, coins on the way to exchanges. Not stored: no rows.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | active_address_growth, fee_growth (+: more use, a rise is expected); issuance, mvrv, nvt, exchange_inflow (+: supply or dearness, a fall is expected) | not null
-- value      | growths: mean of 30 days over that of the 30 before, less 1; issuance: new coins of 30 days over capitalisation, annual; mvrv, nvt: ratios as published; exchange_inflow: in less out over 7 days, over capitalisation | finite
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with figures as (
  select cast(period_start as date) + 1 as as_of_date, asset, metric, value, known_at
  from core.onchain_metrics
  where
    metric in (
      'AdrActCnt', 'FeeTotUSD', 'IssTotUSD', 'CapMrktCurUSD', 'CapMVRVCur', 'NVTAdj', 'FlowInExUSD', 'FlowOutExUSD'
    )
    and isfinite(value)
),
windows as (
  select
    *,
    avg(value) over month as mean_30,
    count(*) over month as days_30,
    avg(value) over earlier as mean_before,
    count(*) over earlier as days_before,
    sum(value) over week as sum_7,
    count(*) over week as days_7
  from figures
  window
    week as (
      partition by asset, metric order by as_of_date range between interval 6 days preceding and current row
    ),
    month as (
      partition by asset, metric order by as_of_date range between interval 29 days preceding and current row
    ),
    earlier as (
      partition by asset, metric
      order by as_of_date range between interval 59 days preceding and interval 30 days preceding
    )
),
caps as (
  select as_of_date, asset, value as cap, known_at
  from figures
  where metric = 'CapMrktCurUSD' and value > 0
)
select
  as_of_date,
  asset,
  case metric when 'AdrActCnt' then 'active_address_growth' else 'fee_growth' end as signal,
  mean_30 / mean_before - 1 as value,
  known_at
from windows
where metric in ('AdrActCnt', 'FeeTotUSD') and days_30 >= 25 and days_before >= 25 and mean_before > 0
union all
select as_of_date, asset, case metric when 'CapMVRVCur' then 'mvrv' else 'nvt' end, value, known_at
from figures
where metric in ('CapMVRVCur', 'NVTAdj')
union all
select windows.as_of_date, windows.asset, 'issuance', windows.mean_30 * 365 / caps.cap,
  greatest(windows.known_at, caps.known_at)
from windows
inner join caps using (as_of_date, asset)
where windows.metric = 'IssTotUSD' and windows.days_30 >= 25
union all
select ins.as_of_date, ins.asset, 'exchange_inflow', (ins.sum_7 - outs.sum_7) / caps.cap,
  greatest(ins.known_at, outs.known_at, caps.known_at)
from windows as ins
inner join windows as outs
  on outs.asset = ins.asset and outs.as_of_date = ins.as_of_date and outs.metric = 'FlowOutExUSD'
inner join caps on caps.asset = ins.asset and caps.as_of_date = ins.as_of_date
where ins.metric = 'FlowInExUSD' and ins.days_7 = 7 and outs.days_7 = 7
