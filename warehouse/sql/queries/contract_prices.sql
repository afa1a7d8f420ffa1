-- What is each perpetual, future and option worth now, by its newest mark, and else by its newest trade?
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
),
contracts as (
  select *, null::double as underlying_usd, null::double as delta
  from said
  where price_at between $oldest and $as_of
  qualify row_number() over (partition by venue, market_type, market_id order by price_at desc, place) = 1
),
chains as (
  select
    chain.venue, 'option' as market_type, chain.market_id, chain.base as asset,
    coalesce(rules.quote, chain.base) as quote, chain.mark_price as price_quote, chain.observed_at as price_at, 3 as place,
    chain.underlying_price as underlying_usd, chain.delta
  from core.implied_volatility as chain
  left join core.instruments as rules
    on rules.venue = chain.venue and rules.market_id = chain.market_id and rules.market_type = 'option'
  where chain.kind = 'option' and isfinite(chain.mark_price) and chain.observed_at between $oldest and $as_of
  qualify row_number() over (partition by chain.venue, chain.market_id order by chain.observed_at desc) = 1
)
select venue, market_type, market_id, asset, quote, price_quote, price_at, underlying_usd, delta
from contracts
union all
select venue, market_type, market_id, asset, quote, price_quote, price_at, underlying_usd, delta
from chains
order by venue, market_type, market_id
