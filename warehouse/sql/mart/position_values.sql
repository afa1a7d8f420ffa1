-- What each leg held at the end of a day was worth then, and what the same leg was worth a day later.
--
-- key: portfolio, as_of_date, venue, account, kind, asset, market_id, sleeve
-- portfolio      | the portfolio's name in the configuration                                       | not null
-- as_of_date     | date of the instant 00:00 UTC at which the leg was held                          | not null
-- statement_id   | the statement in force at that instant                                           | not null
-- venue          | exchange, bank or protocol; empty when not said                                  | not null
-- account        | account at the venue; empty when not said                                        | not null
-- kind           | spot, perp, future, option, lending, staking or bank; cash_flow: since the statement | not null
-- asset          | what is held, upper case                                                         | not null
-- market_id      | the venue's own market id of a derivative; empty when not said                   | not null
-- sleeve         | spot, cash, carry, basis, yield, staking, options; perp or future: unpaired      | not null
-- quantity       | amount in the asset's own unit; negative: short                                  | finite
-- price_usd      | price of one unit in US dollars; a derivative's mark; null: none within 7 days   | >= 0 or null
-- price_age_days | days between the price and as_of_date                                            | 0 to 7 or null
-- value_usd      | its part of the portfolio's value: derivatives at margin plus unrealised profit  | finite or null
-- exposure_usd   | quantity times price; of derivatives the notional, with its sign                 | finite or null
-- next_value_usd | value of the same leg a day later; null on the newest day                        | finite or null
with horizon as (
  select max(cast(open_time as date)) + 1 as newest_date
  from core.candles
  where timeframe = '1d'
),
spans as (
  select portfolio, cast(date_trunc('day', min(as_of) + interval 1 day - interval 1 microsecond) as date) as first_date
  from mart.statements
  group by portfolio
),
days as (
  select spans.portfolio, cast(unnest(generate_series(first_date, newest_date, interval 1 day)) as date) as as_of_date
  from spans
  cross join horizon
),
in_force as (
  select days.portfolio, days.as_of_date, statements.statement_id, statements.as_of as statement_at
  from days
  asof join mart.statements as statements
    on statements.portfolio = days.portfolio and cast(days.as_of_date as timestamp) >= statements.as_of
),
held as (
  select in_force.as_of_date, legs.*
  from in_force
  inner join mart.statement_legs as legs using (portfolio, statement_id)
  union all
  -- What came and went since the statement is held or gone, although no statement says so yet.
  select
    in_force.as_of_date, in_force.portfolio, in_force.statement_id, '', '', 'cash_flow', flows.asset, '',
    case when flows.asset = 'USD' or flows.asset in (from mart.stablecoin_assets) then 'cash' else 'spot' end,
    sum(flows.quantity), null, 0.0, 'USD', null
  from in_force
  inner join mart.cash_flows as flows
    on flows.portfolio = in_force.portfolio
    and flows.happened_at > in_force.statement_at and flows.happened_at <= in_force.as_of_date
  group by in_force.as_of_date, in_force.portfolio, in_force.statement_id, flows.asset
),
moments as (
  select held.*, unnest([as_of_date, as_of_date + 1]) as valued_on
  from held
),
coins as (
  select as_of_date, asset, price_usd
  from mart.spot_prices
  where price_usd is not null and asset not in (from mart.stablecoin_assets)
  union all
  select as_of_date, asset, price_usd
  from mart.stablecoin_prices
),
priced as (
  select
    moments.*,
    case when moments.asset = 'USD' then 1.0 when valued_on - coins.as_of_date <= 7 then coins.price_usd end as coin_usd,
    case when moments.asset = 'USD' then 0 else valued_on - coins.as_of_date end as coin_age,
    case when valued_on - marks.as_of_date <= 7 then marks.price_usd end as mark_usd,
    valued_on - marks.as_of_date as mark_age,
    case when moments.quote = 'USD' then 1.0 when valued_on - money.as_of_date <= 7 then money.price_usd end as quote_usd
  from moments
  asof left join coins
    on coins.asset = moments.asset and moments.valued_on >= coins.as_of_date
  asof left join mart.derivative_prices as marks
    on marks.venue = moments.venue and marks.market_type = moments.kind and marks.market_id = moments.priced_by
    and moments.valued_on >= marks.as_of_date
  asof left join mart.stablecoin_prices as money
    on money.asset = moments.quote and moments.valued_on >= money.as_of_date
),
valued as (
  select
    *,
    case
      when kind in ('future', 'option') then mark_usd
      -- A perpetual without prices of its own is valued at its coin: funding ties the two together.
      when kind = 'perp' then coalesce(mark_usd, coin_usd)
      else coin_usd
    end as price_usd,
    case when kind in ('perp', 'future', 'option') and mark_usd is not null then mark_age else coin_age end as age
  from priced
  where valued_on <= (select newest_date from horizon)
),
worth as (
  select
    *,
    case
      when kind in ('perp', 'future') then margin * quote_usd + quantity * (price_usd - entry_price * quote_usd)
      when kind = 'option' then margin * quote_usd + quantity * price_usd
      else quantity * price_usd
    end as value_usd
  from valued
)
select
  portfolio, as_of_date, any_value(statement_id) as statement_id, venue, account, kind, asset, market_id, sleeve,
  any_value(quantity) as quantity,
  any_value(price_usd) filter (where valued_on = as_of_date) as price_usd,
  any_value(age) filter (where valued_on = as_of_date and price_usd is not null) as price_age_days,
  any_value(value_usd) filter (where valued_on = as_of_date) as value_usd,
  any_value(quantity * price_usd) filter (where valued_on = as_of_date) as exposure_usd,
  any_value(value_usd) filter (where valued_on > as_of_date) as next_value_usd
from worth
group by portfolio, as_of_date, venue, account, kind, asset, market_id, sleeve
