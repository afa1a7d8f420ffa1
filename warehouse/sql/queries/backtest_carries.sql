-- What did each coin and each perpetual on it close at, and what did a short of one coin receive over the day?
select
  days.as_of_date, days.asset, days.venue, days.market_id, days.quote,
  days.spot_open + days.spot_change as coin,
  days.perp_open + days.perp_change as contract,
  days.funding,
  quotes.quote_price_usd
from mart.carry_days as days
left join mart.quote_prices as quotes on quotes.quote = days.quote and quotes.as_of_date = days.as_of_date
where list_contains($assets, days.asset)
  and list_contains($venues, days.venue)
  and days.as_of_date between $first_date and $last_date
order by days.as_of_date, days.asset, days.venue, days.market_id
