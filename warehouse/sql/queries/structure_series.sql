-- What did funding and flows do each day: the daily funding rate of each coin, growth of the stablecoin supply?
with supplies as (
  select cast(period_start as date) + 1 as as_of_date, asset, median(supply) as supply
  from core.stablecoins
  where isfinite(supply) and supply > 0
  group by as_of_date, asset
)
select as_of_date, 'funding ' || asset as name, asset, avg(funding_rate * 24 / hours_covered) as value
from mart.funding_days
where list_contains($assets, asset) and as_of_date >= $first_date
group by as_of_date, asset
union all
select now.as_of_date, 'stablecoin supply', '', ln(sum(now.supply) / sum(before.supply))
from supplies as now
inner join supplies as before on before.asset = now.asset and before.as_of_date = now.as_of_date - 1
where now.as_of_date >= $first_date
group by now.as_of_date
order by as_of_date, name
