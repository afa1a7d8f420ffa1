-- What did a coin cost when an option on it expired: its last close before, on any venue, no more than a day earlier?
with asked as (
  select unnest($assets) as asset, unnest($moments) as moment
),
closes as (
  select
    base as asset, venue, quote, close,
    open_time + case timeframe when '1h' then interval 1 hour else interval 1 day end as ended_at
  from core.candles
  where market_type = 'spot' and timeframe in ('1h', '1d') and isfinite(close) and close > 0
    and list_contains($assets, base) and list_contains($quotes, quote)
)
select asked.asset, asked.moment, closes.quote, closes.close as price_quote, closes.ended_at
from asked
inner join closes
  on closes.asset = asked.asset and closes.ended_at between asked.moment - interval 1 day and asked.moment
qualify row_number() over (
  partition by asked.asset, asked.moment order by closes.ended_at desc, closes.quote, closes.venue
) = 1
order by asked.asset, asked.moment
