-- Value of each portfolio at the end of each day: all its positions at mark, in US dollars.
--
-- key: portfolio, as_of_date
-- portfolio          | the portfolio's name in the configuration                                    | not null
-- as_of_date         | date of the instant 00:00 UTC                                                | not null
-- nav_usd            | positions, cash flows and funding since the statement; what has no price is left out | finite
-- positions_usd      | value of the statement's positions                                           | finite
-- cash_flows_usd     | value of what came and went since the statement                              | finite
-- funding_usd        | funding received less paid since the statement                               | finite
-- is_complete        | every position has a price                                                   | not null
-- unpriced           | positions without a price, as asset and kind                                 | not null
-- oldest_price_days  | age of the oldest price that was used                                        | 0 to 7 or null
-- statement_id       | the statement in force                                                       | not null
-- statement_age_days | days since the moment it describes                                           | >= 0
with valued as (
  select
    portfolio, as_of_date, any_value(statement_id) as statement_id,
    coalesce(sum(value_usd) filter (where kind <> 'cash_flow'), 0) as positions_usd,
    coalesce(sum(value_usd) filter (where kind = 'cash_flow'), 0) as cash_flows_usd,
    count(*) = count(value_usd) as is_complete,
    coalesce(
      list_sort(array_agg(distinct asset || ' (' || kind || ')') filter (where value_usd is null)), []
    ) as unpriced,
    max(price_age_days) as oldest_price_days
  from mart.position_values
  group by portfolio, as_of_date
),
accrued as (
  select valued.portfolio, valued.as_of_date, sum(funding.funding_usd) as funding_usd
  from valued
  inner join mart.position_funding as funding
    on funding.portfolio = valued.portfolio and funding.statement_id = valued.statement_id
    and funding.settled_at <= valued.as_of_date
  group by valued.portfolio, valued.as_of_date
)
select
  valued.portfolio,
  valued.as_of_date,
  positions_usd + cash_flows_usd + coalesce(accrued.funding_usd, 0) as nav_usd,
  positions_usd,
  cash_flows_usd,
  coalesce(accrued.funding_usd, 0) as funding_usd,
  is_complete,
  unpriced,
  oldest_price_days,
  valued.statement_id,
  date_diff('day', statements.as_of, cast(valued.as_of_date as timestamp)) as statement_age_days
from valued
inner join mart.statements as statements using (portfolio, statement_id)
left join accrued on accrued.portfolio = valued.portfolio and accrued.as_of_date = valued.as_of_date
