-- What is each perpetual and future worth now, by its newest mark, and else by its newest trade?
with lengths (timeframe, seconds) as (
  values ('1m', 60), ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200), ('4h', 14400),
    ('6h', 21600), ('8h', 28800), ('12h', 43200), ('1d', 86400)
),
said as (
  select venue, market_type, market_id, base as asset, quote, close as price_quote,
    open_time + to_seconds(seconds) as price_at, 1 as place
  from core.mark_candles
  inner join lengths using (timeframe)
  where isfinite(close) and close > 0 and open_time > $oldest - interval 1 day
  union all
  select venue, market_type, market_id, base, quote, close, open_time + to_seconds(seconds), 2
  from core.candles
  inner join lengths using (timeframe)
  where market_type in ('perp', 'future') and isfinite(close) and close > 0 and open_time > $oldest - interval 1 day
)
select venue, market_type, market_id, asset, quote, price_quote, price_at
from said
where price_at between $oldest and $as_of
qualify row_number() over (partition by venue, market_type, market_id order by price_at desc, place) = 1
order by venue, market_type, market_id
