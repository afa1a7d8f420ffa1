-- What did each dated contract and the coin beside it close at, from its first close to the day that it ends on?
-- A contract that is counted in coins (without a finite size) is left out, as in mart.basis_days.
with contracts as (
  select venue, market_id, base as asset, quote, expires_at
  from core.instruments
  where market_type = 'future' and expires_at is not null and isfinite(contract_size) and contract_size > 0
    and list_contains($assets, base)
    and list_contains($venues, venue)
),
closes as (
  select contracts.*, cast(candles.open_time as date) + 1 as as_of_date, candles.close
  from core.candles as candles
  inner join contracts using (venue, market_id)
  where candles.market_type = 'future' and candles.timeframe = '1d' and isfinite(candles.close) and candles.close > 0
    and cast(candles.open_time as date) + 1 < contracts.expires_at
),
lives as (
  select venue, market_id, asset, quote, expires_at, min(as_of_date) as first_close
  from closes
  group by all
)
select
  spots.as_of_date, lives.asset, lives.venue, lives.market_id, lives.quote, lives.expires_at,
  spots.price_usd as coin_usd,
  closes.close as contract,
  quotes.quote_price_usd
from lives
inner join mart.spot_prices as spots
  -- a week more than its life: the first price of the coin after the end is what it is delivered at
  on spots.asset = lives.asset and spots.as_of_date between lives.first_close and cast(lives.expires_at as date) + 7
left join closes using (venue, market_id, as_of_date)
left join mart.quote_prices as quotes on quotes.quote = lives.quote and quotes.as_of_date = spots.as_of_date
where spots.as_of_date between $first_date and $last_date
order by lives.expires_at, lives.venue, lives.market_id, spots.as_of_date
