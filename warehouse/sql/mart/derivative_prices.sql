-- Price of each perpetual, future and option at the end of each day: its mark where it is known, else its last trade.
--
-- key: as_of_date, venue, market_type, market_id
-- as_of_date      | date of the instant 00:00 UTC at which the price held                     | not null
-- venue           | exchange, by its ccxt id                                                  | not null
-- market_type     | perp, future or option                                                    | not null
-- market_id       | the venue's own market id                                                 | not null
-- asset           | the asset of the contract                                                 | not null
-- quote           | the currency the price is in; options are often quoted in the coin itself | not null
-- price_quote     | price of the contract on one unit of the asset, in quote                  | >= 0
-- quote_price_usd | US dollar price of the quote; null if none within 7 days                  | > 0 or null
-- price_usd       | price in US dollars                                                       | >= 0 or null
-- price_source    | mark, last (trade) or volatility (the venue's mark of an option)          | not null
with said as (
  select
    cast(open_time as date) + 1 as as_of_date, venue, market_type, market_id, base as asset, quote,
    close as price_quote, null as underlying_usd, 'mark' as price_source, 1 as place
  from core.mark_candles
  where timeframe = '1d' and isfinite(close) and close > 0
  union all
  select
    cast(open_time as date) + 1, venue, market_type, market_id, base, quote, close, null, 'last', 2
  from core.candles
  where timeframe = '1d' and market_type in ('perp', 'future') and isfinite(close) and close > 0
  union all
  -- What was read during the day stands for its end.
  select
    cast(ceil(epoch(chain.observed_at) / 86400) * interval 1 day + timestamp '1970-01-01' as date),
    chain.venue, 'option', chain.market_id, chain.base, coalesce(rules.quote, chain.base),
    arg_max(chain.mark_price, chain.observed_at), arg_max(chain.underlying_price, chain.observed_at), 'volatility', 3
  from core.implied_volatility as chain
  left join core.instruments as rules
    on rules.venue = chain.venue and rules.market_id = chain.market_id and rules.market_type = 'option'
  where chain.kind = 'option' and isfinite(chain.mark_price)
  group by all
),
best as (
  select * from said
  qualify row_number() over (partition by as_of_date, venue, market_type, market_id order by place) = 1
),
priced as (
  select
    best.*,
    case
      when best.quote = 'USD' then 1.0
      when best.quote = best.asset then best.underlying_usd
      when best.as_of_date - money.as_of_date <= 7 then money.price_usd
    end as quote_price_usd
  from best
  asof left join mart.stablecoin_prices as money
    on money.asset = best.quote and best.as_of_date >= money.as_of_date
)
select
  as_of_date, venue, market_type, market_id, asset, quote, price_quote, quote_price_usd,
  price_quote * quote_price_usd as price_usd, price_source
from priced
