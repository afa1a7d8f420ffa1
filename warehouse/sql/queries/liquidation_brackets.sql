-- How much is open in each perpetual, and which leverage does its venue allow at which maintenance margin?
with newest as (
  select
    venue, market_id, market_type, any_value(base) as asset, arg_max(quote, observed_at) as quote,
    arg_max(open_interest, observed_at) as coins, arg_max(open_interest_quote, observed_at) as value_quote,
    max(observed_at) as observed_at
  from core.open_interest
  where market_type = 'perp' and list_contains($assets, base)
  group by venue, market_id, market_type
),
prices as (
  select asset, median(price_usd) as price_usd
  from mart.latest_prices
  group by asset
),
priced as (
  select
    newest.*, prices.price_usd,
    coalesce(newest.coins * prices.price_usd, newest.value_quote * money.price_usd) as open_usd
  from newest
  inner join prices using (asset)
  left join mart.latest_stablecoin_prices as money on money.asset = newest.quote
  where newest.observed_at >= $oldest
)
select
  priced.asset, priced.venue, priced.market_id, brackets.max_leverage,
  brackets.maintenance_margin_rate as maintenance, priced.price_usd, priced.open_usd
from priced
inner join mart.current_leverage_brackets as brackets using (venue, market_type, market_id)
where isfinite(brackets.max_leverage) and brackets.max_leverage > 0
  and isfinite(brackets.maintenance_margin_rate) and isfinite(priced.open_usd) and priced.open_usd > 0
order by priced.asset, priced.venue, priced.market_id, brackets.bracket
