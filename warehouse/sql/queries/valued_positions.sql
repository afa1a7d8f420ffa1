-- What does a portfolio hold by its newest statement, and what is it worth at the newest prices?
with coins as (
  select asset, median(price_usd) as price_usd
  from mart.latest_prices
  group by asset
),
money as (
  select asset, price_usd
  from mart.stablecoin_prices
  qualify row_number() over (partition by asset order by as_of_date desc) = 1
)
select
  p.portfolio, p.venue, p.account, p.kind, p.asset, p.quantity,
  case when p.asset = 'USD' then 1.0 else coalesce(m.price_usd, c.price_usd) end as price_usd,
  p.quantity * case when p.asset = 'USD' then 1.0 else coalesce(m.price_usd, c.price_usd) end as value_usd,
  p.as_of
from mart.current_positions as p
left join coins as c using (asset)
left join money as m using (asset)
where p.portfolio = $portfolio
order by value_usd desc nulls last, p.asset
