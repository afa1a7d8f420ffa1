-- What was each line worth at each daily close? Each segment is a ticker's part of a line's history.
with segments as (
  select
    unnest($lines) as line,
    unnest($tickers) as ticker,
    unnest($after) as after_date,
    unnest($until) as until_date
),
prices as (
  select as_of_date, 'spot' as sleeve, asset, price_usd from mart.spot_prices
  union all
  select as_of_date, 'cash', asset, price_usd from mart.stablecoin_prices
)
select prices.as_of_date, segments.line, prices.price_usd as close_usd
from segments
inner join prices
  on prices.asset = segments.ticker
  and prices.sleeve = split_part(segments.line, ':', 1)
  and prices.as_of_date > cast(segments.after_date as date)
  and prices.as_of_date <= cast(segments.until_date as date)
where prices.as_of_date between $first_date and $last_date
order by prices.as_of_date, segments.line
