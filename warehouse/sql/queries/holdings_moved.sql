-- What did the portfolio hold when a recommendation was made, and what by its newest statement?
with statements as (
  select statement_id, max(known_at) as known_at
  from core.positions
  where portfolio = $portfolio
  group by statement_id
),
chosen as (
  select
    (select max(statement_id) from statements where known_at <= $decided_at) as before_id,
    (select max(statement_id) from statements where known_at <= $as_of) as now_id
)
select
  asset,
  case
    when kind in ('perp', 'future') then 'contract'
    when kind in ('lending', 'staking') then 'pool'
    when kind = 'option' then 'option'
    else 'coin'
  end as place,
  coalesce(sum(quantity) filter (where statement_id = before_id), 0.0) as quantity_before,
  coalesce(sum(quantity) filter (where statement_id = now_id), 0.0) as quantity_now
from core.positions
cross join chosen
where portfolio = $portfolio and statement_id in (before_id, now_id)
group by all
order by asset, place
