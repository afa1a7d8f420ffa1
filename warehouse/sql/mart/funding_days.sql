-- Funding that a perpetual market settled in each UTC day, as the sum of its settlements, whatever their interval.
--
-- key: as_of_date, venue, market_id
-- as_of_date       | date of the instant 00:00 UTC at which the day ends; a settlement at that instant is its last | not null
-- venue            | exchange, by its ccxt id                                                  | not null
-- market_id        | the venue's own market id                                                 | not null
-- asset            | the asset that is traded                                                  | not null
-- funding_rate     | sum of the day's rates: what a long paid on its notional                  | finite
-- settlements      | number of settlements                                                     | >= 1
-- hours_covered    | hours that these settlements stand for; 24 for a whole day                | > 0
-- funding_per_coin | sum of rate times mark price, in quote for one coin; null where a mark price is not known | finite or null
with settlements as (
  select
    cast(ceil(epoch(settled_at) / 86400) * interval 1 day + timestamp '1970-01-01' as date) as as_of_date,
    venue,
    market_id,
    base,
    settled_at,
    funding_rate,
    interval_hours,
    case when isfinite(mark_price) and mark_price > 0 then mark_price end as mark_price
  from core.funding_rates
  where isfinite(funding_rate)
),
-- Many venues do not say at which mark price they settled: the hour that ended then closed at it.
closes as (
  select venue, market_id, open_time + interval 1 hour as settled_at, close, 1 as place
  from core.mark_candles
  where timeframe = '1h' and isfinite(close) and close > 0
  union all
  select venue, market_id, open_time + interval 1 hour, close, 2
  from core.candles
  where market_type = 'perp' and timeframe = '1h' and isfinite(close) and close > 0
),
found as (
  select venue, market_id, settled_at, arg_min(closes.close, closes.place) as mark_price
  from settlements
  inner join closes using (venue, market_id, settled_at)
  where settlements.mark_price is null
  group by venue, market_id, settled_at
),
marked as (
  select settlements.*, coalesce(settlements.mark_price, found.mark_price) as price
  from settlements
  left join found using (venue, market_id, settled_at)
)
-- Sums run in a fixed order: a decision that is made again must find the same last digit.
select
  as_of_date,
  venue,
  market_id,
  any_value(base) as asset,
  sum(funding_rate order by settled_at) as funding_rate,
  count(*) as settlements,
  sum(interval_hours order by settled_at) as hours_covered,
  case when count(price) = count(*) then sum(funding_rate * price order by settled_at) end as funding_per_coin
from marked
group by as_of_date, venue, market_id
