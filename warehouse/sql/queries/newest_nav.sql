-- What was the portfolio worth at the newest daily close, which flows came after its newest statement, and what is unexplained?
with unexplained as (
  select portfolio, list({as_of_date: as_of_date, unexplained_usd: unexplained_usd} order by as_of_date) as unexplained
  from mart.performance
  where portfolio = $portfolio and sleeve = 'total' and unexplained_usd is not null
  group by portfolio
),
pending as (
  select flows.portfolio, list(format('{:g} {}', flows.quantity, flows.asset) order by flows.happened_at) as pending
  from mart.cash_flows as flows
  inner join mart.statements as statements
    on statements.portfolio = flows.portfolio and statements.until_at is null and flows.happened_at > statements.as_of
  where flows.portfolio = $portfolio
  group by flows.portfolio
)
select nav.as_of_date, nav.nav_usd, nav.cash_flows_usd, nav.funding_usd, nav.is_complete, nav.unpriced,
  nav.statement_age_days, unexplained.unexplained, pending.pending
from mart.nav as nav
left join unexplained using (portfolio)
left join pending using (portfolio)
where nav.portfolio = $portfolio
qualify row_number() over (order by nav.as_of_date desc) = 1
