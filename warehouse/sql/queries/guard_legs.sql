-- What does a portfolio hold by its newest statement, at the newest prices, and how near is each leg to trouble?
with lengths (timeframe, seconds) as (
  values ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200), ('4h', 14400), ('6h', 21600), ('8h', 28800),
    ('12h', 43200), ('1d', 86400)
),
legs as (
  select
    held.*, said.margin_mode, coalesce(said.as_of, timestamp '1970-01-01') as stated_at,
    -- A contract of which a part is hedged comes as two legs; its bracket goes by the whole of it.
    sum(abs(held.quantity)) over (partition by held.venue, held.account, held.kind, held.priced_by) as whole
  from mart.statement_legs as held
  left join core.positions as said
    on said.portfolio = held.portfolio and said.statement_id = held.statement_id and said.venue = held.venue
    and said.account = held.account and said.kind = held.kind and said.asset = held.asset
    and coalesce(said.market_id, '') = held.market_id
  where held.portfolio = $portfolio
    and held.statement_id = (select any_value(statement_id) from mart.current_positions where portfolio = $portfolio)
),
contracts as (
  select distinct venue, kind as market_type, priced_by as market_id
  from legs
  where kind in ('perp', 'future') and priced_by is not null
),
-- Liquidations go by the mark; where none is stored, by the last trade.
closes as (
  select
    venue, market_type, market_id, seconds, open_time, close, low, high, open_time + to_seconds(seconds) as closed_at,
    1 as preference
  from core.mark_candles
  semi join contracts using (venue, market_type, market_id)
  inner join lengths using (timeframe)
  where isfinite(close) and close > 0
  union all
  select venue, market_type, market_id, seconds, open_time, close, null, null, open_time + to_seconds(seconds), 0
  from core.candles
  semi join contracts using (venue, market_type, market_id)
  inner join lengths using (timeframe)
  where isfinite(close) and close > 0
),
marks as (
  select
    venue, market_type, market_id, max(closed_at) as price_at,
    arg_max({'close': close, 'low': low, 'high': high, 'opened_at': open_time}, (closed_at, preference, -seconds))
      as newest
  from closes
  group by venue, market_type, market_id
),
coins as (
  select asset, median(price_usd) as price, max(price_at) as price_at
  from mart.latest_prices
  group by asset
),
-- Where the coins lie, their market says whether the venue is open.
places as (
  select asset, venue, max(price_at) as price_at
  from mart.latest_prices
  group by asset, venue
),
-- A price is late against the newest one of any market: when all are late, it is ours that is late, not a venue.
newest as (
  select greatest((select max(price_at) from coins), (select max(price_at) from marks)) as price_at
),
funding as (
  select venue, market_id, sum(funding_rate) / nullif(sum(interval_hours), 0) * 24 * 365 as annual
  from core.funding_rates
  where settled_at > $as_of - interval 3 day and settled_at <= $as_of
  group by venue, market_id
),
spot_fees as (
  select base as asset, min(taker_fee) as fee
  from core.instruments
  where market_type = 'spot' and is_active
  group by base
),
steps as (
  select
    venue, market_type, market_id,
    list([notional_floor, maintenance_margin_rate] order by notional_floor) as floors_and_rates
  from mart.current_leverage_brackets
  where list_contains($counted_by_part, venue)
  group by venue, market_type, market_id
),
spreads as (
  select venue, market_type, market_id, any_value(half_spread_bps) as half_spread_bps
  from mart.liquidity
  group by venue, market_type, market_id
)
select
  legs.venue,
  legs.account,
  legs.kind,
  legs.sleeve,
  legs.asset,
  coalesce(legs.priced_by, legs.market_id) as market_id,
  legs.quantity,
  case
    when legs.kind in ('perp', 'future') then marks.newest.close * money.price
    when legs.asset = 'USD' then 1.0
    else coalesce(own.price_usd, coins.price, case when legs.asset in (from mart.stablecoin_assets) then 1.0 end)
  end as price_usd,
  legs.entry_price * money.price as entry_usd,
  coalesce(legs.margin * money.price, 0.0) as margin_usd,
  coalesce(legs.margin_mode = 'cross', false) as is_cross,
  brackets.maintenance_margin_rate as maintenance_rate,
  coalesce(list_transform(steps.floors_and_rates, lambda step: [step[1] * money.price, step[2]]), [])
    as maintenance_steps,
  funding.annual as funding_annual,
  coalesce(rules.taker_fee, 0.0005) + coalesce(spot_fees.fee, 0.001) + 2 * coalesce(spreads.half_spread_bps, 1.0) / 10000
    as exit_cost,
  coalesce(rules.is_active, true) as is_active,
  rules.expires_at,
  epoch(newest.price_at - coalesce(marks.price_at, places.price_at, coins.price_at)) / 3600 as hours_behind,
  -- What the mark did before the statement concerns a position that was another one.
  case when marks.newest.opened_at >= legs.stated_at then marks.newest.low * money.price end as low_usd,
  case when marks.newest.opened_at >= legs.stated_at then marks.newest.high * money.price end as high_usd
from legs
cross join newest
left join places on places.asset = legs.asset and places.venue = legs.venue
left join marks
  on legs.kind = marks.market_type and legs.venue = marks.venue and legs.priced_by = marks.market_id
left join coins on coins.asset = legs.asset
left join mart.latest_stablecoin_prices as own on own.asset = legs.asset
-- Without a dollar price of the money one dollar is taken: how far a position is from liquidation does not depend
-- on it, and silence would be worse.
left join (
  select known.asset, coalesce(prices.price_usd, 1.0) as price
  from (select * from mart.stablecoin_assets) as known (asset)
  left join mart.latest_stablecoin_prices as prices on prices.asset = known.asset
  union
  select 'USD', 1.0
) as money on money.asset = legs.quote
left join mart.current_leverage_brackets as brackets
  on brackets.venue = legs.venue and brackets.market_type = legs.kind and brackets.market_id = legs.priced_by
  and legs.whole * marks.newest.close >= brackets.notional_floor
  and (brackets.notional_cap is null or legs.whole * marks.newest.close < brackets.notional_cap)
left join steps on steps.venue = legs.venue and steps.market_type = legs.kind and steps.market_id = legs.priced_by
left join funding on funding.venue = legs.venue and funding.market_id = legs.priced_by and legs.kind = 'perp'
left join core.instruments as rules
  on rules.venue = legs.venue and rules.market_type = legs.kind and rules.market_id = legs.priced_by
left join spreads
  on spreads.venue = legs.venue and spreads.market_type = legs.kind and spreads.market_id = legs.priced_by
left join spot_fees on spot_fees.asset = legs.asset
order by legs.venue, legs.account, legs.kind, legs.asset, market_id, legs.sleeve
