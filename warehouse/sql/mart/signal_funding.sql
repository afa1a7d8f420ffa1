-- Funding: what longs pay to shorts, and how high that is for this coin. Positive: longs crowd; a fall is expected.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | funding_7, funding_percentile                              | not null
-- value      | funding_7: mean over 7 whole days and all perpetuals, annual fraction of notional; funding_percentile: share of the 365 days before that were no higher, 0 to 1 | finite
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with market_days as (
  select
    cast(ceil(epoch(settled_at) / 86400) * interval 1 day + timestamp '1970-01-01' as date) as as_of_date,
    base as asset,
    venue,
    market_id,
    sum(funding_rate order by funding_rate) as funding_rate,
    max(known_at) as known_at
  from core.funding_rates
  where isfinite(funding_rate)
  group by as_of_date, asset, venue, market_id
  -- A day with settlements missing, or not over yet, is no day.
  having sum(coalesce(interval_hours, 8)) >= 23
),
days as (
  select as_of_date, asset, avg(funding_rate order by funding_rate) * 365 as rate, max(known_at) as known_at
  from market_days
  group by as_of_date, asset
),
weeks as (
  select
    as_of_date,
    asset,
    avg(rate) over week as value,
    known_at
  from days
  window week as (partition by asset order by as_of_date range between interval 6 days preceding and current row)
  qualify count(*) over week = 7
),
ranked as (
  select *, list(value) over earlier as before
  from weeks
  window earlier as (
    partition by asset order by as_of_date range between interval 365 days preceding and interval 1 day preceding
  )
)
select as_of_date, asset, 'funding_7' as signal, value, known_at
from weeks
union all
select as_of_date, asset, 'funding_percentile', len(list_filter(before, lambda x: x <= value)) / len(before), known_at
from ranked
where len(before) >= 180
