-- What did each order of a recommendation assume its market to cost, and what does it cost now?
with coins as (
  select asset, median(price_quote) as price_quote, max(price_at) as price_at
  from mart.latest_prices
  group by asset
)
select
  t.line,
  t.symbol,
  -- A derivative's symbol names its settlement after a colon; its coin's price tells how far it moved.
  contains(t.symbol, ':') as is_derivative,
  split_part(t.symbol, '/', 1) as base,
  t.side,
  t.quantity,
  t.reference_price,
  t.notional_usd,
  coalesce(p.price_quote, c.price_quote) as price_now,
  coalesce(p.price_at, c.price_at) as price_at
from mart.recommendation_trades as t
left join mart.latest_prices as p
  on p.venue = t.venue and p.market_id = t.market_id and not contains(t.symbol, ':')
left join coins as c on c.asset = split_part(t.symbol, '/', 1)
where t.recommendation_id = $recommendation_id
order by t.line
