-- How has a portfolio done by sleeve: the newest day, the last 30 days, and all days since its first statement?
with days as (
  select *, max(as_of_date) over (partition by portfolio) as newest_date
  from mart.performance
  where portfolio = $portfolio
)
select
  sleeve,
  min(as_of_date) - 1 as first_date,
  max(as_of_date) as last_date,
  max(simple_return) filter (where as_of_date = newest_date) as return_1d,
  product(1 + coalesce(simple_return, 0)) filter (where as_of_date > newest_date - 30) - 1 as return_30d,
  product(1 + coalesce(simple_return, 0)) - 1 as return_total,
  product(1 + coalesce(funding_return, 0)) - 1 as funding_return,
  sum(funding_usd) as funding_usd,
  sum(flows_usd) as flows_usd,
  bool_and(is_complete) as is_complete,
  count(*) filter (where method = 'modified_dietz') as days_by_modified_dietz
from days
group by sleeve
order by sleeve <> 'total', sleeve
