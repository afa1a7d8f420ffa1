-- What do the chains say of the options that a portfolio holds: the newest row of each, whatever its age?
with held as (
  select distinct venue, upper(market_id) as option_id
  from mart.current_positions
  where portfolio = $portfolio and kind = 'option' and quantity <> 0
)
select
  chain.venue, held.option_id, chain.base as asset, chain.option_type, chain.strike, chain.expires_at,
  chain.observed_at, chain.underlying_price, chain.implied_volatility, chain.mark_price, chain.bid_price,
  chain.ask_price, rules.quote
from held
inner join core.implied_volatility as chain
  on chain.venue = held.venue and upper(chain.market_id) = held.option_id
left join core.instruments as rules
  on rules.venue = chain.venue and rules.market_id = chain.market_id and rules.market_type = 'option'
where chain.kind = 'option' and chain.observed_at <= $as_of
qualify row_number() over (partition by chain.venue, held.option_id order by chain.observed_at desc) = 1
order by chain.venue, held.option_id
