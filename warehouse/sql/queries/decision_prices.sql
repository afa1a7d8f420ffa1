-- What is each coin worth now, by the newest closed candle of the venues that agree, and how many do?
-- A coin that no venue has priced since $oldest is shown at its last price, which is_stale marks.
with asked as (
  select *, max(price_at) over (partition by asset) <= $oldest as is_stale
  from mart.venue_prices
  where list_contains($assets, asset)
  qualify price_at > $oldest or is_stale
),
agreed as (
  select
    asset,
    median(price_usd) filter (where is_agreeing) as price_usd,
    median(price_quote) filter (where is_agreeing) as price_quote,
    max(price_at) filter (where is_agreeing) as price_at,
    greatest(any_value(agreeing), 1) as agreeing,
    any_value(venues) as venues,
    any_value(has_quorum) as has_quorum,
    any_value(is_stale) as is_stale,
    string_agg(venue || ' says ' || format('{:.6g}', price_usd), ', ' order by venue) as said,
    (max(price_usd) - min(price_usd)) / median(price_usd) as spread_of_venues
  from asked
  group by asset
),
-- The newest daily close that the venues agreed on.
closes as (
  select
    asset,
    arg_max(price_usd, as_of_date) as close_usd,
    arg_max(price_quote, as_of_date) as close_quote,
    max(as_of_date) as close_date
  from mart.spot_prices
  where price_usd is not null and list_contains($assets, asset)
  group by asset
)
select
  asset,
  price_usd,
  price_quote,
  price_at,
  agreeing as venues,
  venues as venues_asked,
  has_quorum,
  is_stale,
  said,
  spread_of_venues,
  close_usd,
  close_quote,
  close_date::timestamp as close_at,
  -- A daily candle that is the price itself is no earlier price to compare with.
  case when price_at > close_date then price_usd / close_usd - 1 end as change_since_close
from agreed
left join closes using (asset)
order by asset
