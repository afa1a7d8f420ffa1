-- Which contracts can hedge a coin, what is each worth now, and what margin keeps the smallest position alive?
with lengths (timeframe, seconds) as (
  values ('1m', 60), ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200), ('4h', 14400),
    ('6h', 21600), ('8h', 28800), ('12h', 43200), ('1d', 86400), ('1w', 604800)
),
closes as (
  select venue, market_type, market_id, timeframe, open_time, close, 1 as place
  from core.candles
  where market_type in ('perp', 'future') and isfinite(close) and close > 0
  union all
  select venue, market_type, market_id, timeframe, open_time, close, 2
  from core.mark_candles
  where isfinite(close) and close > 0
),
newest as (
  select venue, market_type, market_id, place, timeframe, max(open_time) as open_time, arg_max(close, open_time) as price
  from closes
  group by venue, market_type, market_id, place, timeframe
),
-- What was traded, else the mark price: the newest close of any timeframe.
priced as (
  select venue, market_type, market_id, price, open_time + to_seconds(seconds) as price_at
  from newest
  inner join lengths using (timeframe)
  qualify row_number() over (
    partition by venue, market_type, market_id order by place, open_time + to_seconds(seconds) desc, seconds
  ) = 1
)
select
  contracts.venue, contracts.market_id, contracts.symbol, contracts.base, contracts.quote, contracts.market_type,
  contracts.contract_size, contracts.expires_at, priced.price, priced.price_at, brackets.maintenance_margin_rate
from core.instruments as contracts
left join priced using (venue, market_type, market_id)
left join mart.current_leverage_brackets as brackets
  on brackets.venue = contracts.venue and brackets.market_type = contracts.market_type
  and brackets.market_id = contracts.market_id and brackets.bracket = 1
where list_contains($venues, contracts.venue)
  and list_contains($market_types, contracts.market_type)
  and list_contains($assets, contracts.base)
  and contracts.is_active and isfinite(contracts.contract_size) and contracts.contract_size > 0
order by contracts.base, contracts.market_type, contracts.venue, contracts.expires_at, contracts.market_id
