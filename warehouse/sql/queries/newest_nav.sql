-- What was the portfolio worth at the newest daily close, and which changes of its positions are unexplained?
with unexplained as (
  select portfolio, list({as_of_date: as_of_date, unexplained_usd: unexplained_usd} order by as_of_date) as unexplained
  from mart.performance
  where portfolio = $portfolio and sleeve = 'total' and unexplained_usd is not null
  group by portfolio
)
select nav.as_of_date, nav.nav_usd, nav.cash_flows_usd, nav.funding_usd, nav.is_complete, nav.unpriced,
  nav.statement_age_days, unexplained.unexplained
from mart.nav as nav
left join unexplained using (portfolio)
where nav.portfolio = $portfolio
qualify row_number() over (order by nav.as_of_date desc) = 1
