-- What did each order of a recommendation assume its market to cost, and what does it cost now?
with lengths (timeframe, seconds) as (
  values ('1m', 60), ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200), ('4h', 14400),
    ('6h', 21600), ('8h', 28800), ('12h', 43200), ('1d', 86400), ('1w', 604800)
),
ordered as (
  select
    line, venue, market_id, symbol, side, quantity, reference_price, notional_usd,
    coalesce(market_type, 'spot') as market_type,
    -- A pool's symbol is its own; everywhere else it begins with what changes hands.
    case when market_type = 'pool' then coalesce(asset, symbol) else split_part(symbol, '/', 1) end as base,
    split_part(split_part(symbol, ':', 1), '/', 2) as quote
  from mart.recommendation_trades
  where recommendation_id = $recommendation_id
),
closes as (
  select venue, market_type, market_id, timeframe, open_time, close, 1 as place
  from core.candles
  semi join ordered using (venue, market_type, market_id)
  where market_type in ('perp', 'future') and isfinite(close) and close > 0
  union all
  select venue, market_type, market_id, timeframe, open_time, close, 2
  from core.mark_candles
  semi join ordered using (venue, market_type, market_id)
  where isfinite(close) and close > 0
),
-- What was traded, else the mark price, as the terms of a sleeve read it.
contracts as (
  select venue, market_type, market_id, close as price, open_time + to_seconds(seconds) as price_at
  from closes
  inner join lengths using (timeframe)
  qualify row_number() over (
    partition by venue, market_type, market_id order by place, open_time + to_seconds(seconds) desc, seconds
  ) = 1
),
coins as (
  select asset, quote, median(price_quote) as price, max(price_at) as price_at
  from mart.latest_prices
  group by asset, quote
),
dollars as (
  select asset, price_usd as price, price_at
  from mart.latest_stablecoin_prices
  union all
  select asset, median(price_usd), max(price_at)
  from mart.latest_prices
  where price_usd is not null and asset not in (select asset from mart.latest_stablecoin_prices)
  group by asset
  union all
  select 'USD', 1.0, null
)
select
  t.line,
  t.symbol,
  t.base,
  case when t.market_type in ('perp', 'future') then 'contract' when t.market_type = 'pool' then 'pool' else 'coin' end as place,
  t.side,
  t.quantity,
  t.reference_price,
  t.notional_usd,
  case t.market_type
    when 'pool' then usd.price
    when 'future' then c.price
    when 'perp' then coalesce(c.price, coin.price)
    else coalesce(p.price_quote, coin.price)
  end as price_now,
  case t.market_type
    when 'pool' then usd.price_at
    when 'future' then c.price_at
    when 'perp' then coalesce(c.price_at, coin.price_at)
    else coalesce(p.price_at, coin.price_at)
  end as price_at
from ordered as t
left join mart.latest_prices as p on p.venue = t.venue and p.market_id = t.market_id and t.market_type = 'spot'
left join contracts as c on c.venue = t.venue and c.market_type = t.market_type and c.market_id = t.market_id
left join coins as coin on coin.asset = t.base and coin.quote = t.quote
left join dollars as usd on usd.asset = t.base
order by t.line
