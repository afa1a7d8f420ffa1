-- What did the portfolio's recommendations up to this one say, one per slot, the newest hundred, oldest first?
with shown as (
  select portfolio, as_of
  from mart.recommendations
  where recommendation_id = $recommendation_id
),
told as (
  select r.recommendation_id, r.as_of, r.nav_usd, r.reason, said.event as decision
  from mart.recommendations as r
  inner join shown on r.portfolio = shown.portfolio and r.as_of <= shown.as_of
  inner join ops.recommendation_events as said
    on said.recommendation_id = r.recommendation_id and said.event in ('proposed', 'hold', 'blocked')
  qualify row_number() over (partition by r.slot order by r.as_of desc, r.recommendation_id) = 1
)
select *
from told
qualify row_number() over (order by as_of desc) <= 100
order by as_of
