-- What did each pool pay on the last days, and what is it called?
with newest as (
  select pool, project, chain, symbol, period_start, apy_base, coalesce(apy_reward, 0) as apy_reward
  from core.yield_pools
  where list_contains($pools, pool) and isfinite(apy_base)
  qualify row_number() over (partition by pool order by period_start desc) <= $readings
)
select
  pool,
  arg_max(project, period_start) as project,
  arg_max(chain, period_start) as chain,
  arg_max(symbol, period_start) as symbol,
  list(apy_base order by period_start) as apy_base,
  list(apy_reward order by period_start) as apy_reward,
  max(period_start) + interval 1 day as read_at
from newest
group by pool
order by pool
