-- Funding that each perpetual leg received (positive) or paid while its statement was in force.
--
-- key: portfolio, statement_id, venue, account, asset, market_id, sleeve, settled_at
-- portfolio    | the portfolio's name in the configuration                                     | not null
-- statement_id | the statement that holds the leg                                              | not null
-- venue        | exchange, by its ccxt id                                                      | not null
-- account      | account at the venue; empty when not said                                     | not null
-- asset        | the asset of the contract                                                     | not null
-- market_id    | the venue's own market id as the statement names it; empty when not said      | not null
-- sleeve       | carry; perp: unpaired                                                         | not null
-- settled_at   | instant of the settlement, UTC; one at the statement's own instant is the former statement's | not null
-- as_of_date   | date of the instant 00:00 UTC at which the day of the settlement ends         | not null
-- funding_usd  | minus quantity times rate times mark, in US dollars; shorts receive a positive rate | finite or null
with settled as (
  select
    legs.portfolio, legs.statement_id, legs.venue, legs.account, legs.asset, legs.market_id, legs.sleeve, legs.quantity,
    legs.quote, legs.priced_by, rates.settled_at, rates.funding_rate, rates.mark_price,
    cast(ceil(epoch(rates.settled_at) / 86400) * interval 1 day + timestamp '1970-01-01' as date) as as_of_date,
    cast(rates.settled_at as date) as priced_on
  from mart.statement_legs as legs
  inner join mart.statements as statements using (portfolio, statement_id)
  inner join core.funding_rates as rates
    on rates.venue = legs.venue and rates.market_id = legs.priced_by
    and rates.settled_at > statements.as_of
    and rates.settled_at <= coalesce(statements.until_at, timestamp 'infinity')
  where legs.kind = 'perp' and isfinite(rates.funding_rate)
)
select
  settled.portfolio, settled.statement_id, settled.venue, settled.account, settled.asset, settled.market_id,
  settled.sleeve, settled.settled_at, settled.as_of_date,
  -settled.quantity * settled.funding_rate * coalesce(settled.mark_price, marks.price_quote)
    * case when settled.quote = 'USD' then 1.0 else money.price_usd end as funding_usd
from settled
asof left join mart.derivative_prices as marks
  on marks.venue = settled.venue and marks.market_type = 'perp' and marks.market_id = settled.priced_by
  and settled.priced_on >= marks.as_of_date
asof left join mart.stablecoin_prices as money
  on money.asset = settled.quote and settled.as_of_date >= money.as_of_date
