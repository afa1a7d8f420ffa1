-- What did each perpetual market settle last, and for how many hours each time?
with newest as (
  select venue, market_id, settled_at, funding_rate, interval_hours
  from core.funding_rates
  where list_contains($assets, base) and isfinite(funding_rate) and interval_hours > 0
  qualify row_number() over (partition by venue, market_id order by settled_at desc) <= $settlements
)
select
  venue,
  market_id,
  list(funding_rate order by settled_at) as rates,
  list(interval_hours order by settled_at) as hours,
  max(settled_at) as settled_at
from newest
group by venue, market_id
order by venue, market_id
