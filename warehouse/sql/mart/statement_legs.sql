-- Each leg of each statement with its terms and the market that prices it.
--
-- key: portfolio, statement_id, venue, account, kind, asset, market_id, sleeve
-- portfolio    | the portfolio's name in the configuration                                      | not null
-- statement_id | the statement, as in core.positions                                            | not null
-- venue        | exchange, bank or protocol; empty when not said                                | not null
-- account      | account at the venue; empty when not said                                      | not null
-- kind         | spot, perp, future, option, lending, staking or bank                           | not null
-- asset        | what is held, upper case                                                       | not null
-- market_id    | the venue's own market id as the statement names it; empty when not said       | not null
-- sleeve       | the sleeve the leg belongs to, as in core.position_legs                        | not null
-- quantity     | amount in the asset's own unit; negative: short                                | finite
-- entry_price  | average price of entry, in quote                                               | > 0 or null
-- margin       | the leg's share of the position's collateral, in quote                         | >= 0
-- quote        | currency of entry_price and margin                                             | not null
-- priced_by    | market id of the contract that prices a derivative; null for the others        |
with legs as (
  select
    held.portfolio, held.statement_id, held.venue, held.account, held.kind, held.asset,
    coalesce(held.market_id, '') as market_id,
    -- Statements from before legs were told apart: every position is a line of its own.
    coalesce(parts.sleeve, case
      when held.kind = 'bank' then 'cash'
      when held.kind = 'spot' and (held.asset = 'USD' or held.asset in (from mart.stablecoin_assets)) then 'cash'
      when held.kind = 'lending' then 'yield'
      when held.kind = 'option' then 'options'
      else held.kind
    end) as sleeve,
    coalesce(parts.quantity, held.quantity) as quantity,
    held.entry_price,
    coalesce(held.margin, 0) * coalesce(parts.quantity / nullif(held.quantity, 0), 1) as margin,
    coalesce(held.quote, 'USD') as quote
  from core.positions as held
  left join core.position_legs as parts
    on parts.portfolio = held.portfolio and parts.statement_id = held.statement_id
    and parts.venue = held.venue and parts.account = held.account and parts.kind = held.kind
    and parts.asset = held.asset and parts.market_id = coalesce(held.market_id, '')
),
-- Where a statement names no market, the contract of that venue, asset and quote is meant.
markets as (
  select venue, market_type, asset, quote, min(market_id) as market_id
  from mart.derivative_prices
  where market_type = 'perp'
  group by venue, market_type, asset, quote
)
select
  legs.portfolio, legs.statement_id, legs.venue, legs.account, legs.kind, legs.asset, legs.market_id, legs.sleeve,
  legs.quantity, legs.entry_price, legs.margin, legs.quote,
  case when legs.kind in ('perp', 'future', 'option') then coalesce(nullif(legs.market_id, ''), markets.market_id) end
    as priced_by
from legs
left join markets
  on legs.kind = markets.market_type and legs.venue = markets.venue and legs.asset = markets.asset
  and legs.quote = markets.quote
