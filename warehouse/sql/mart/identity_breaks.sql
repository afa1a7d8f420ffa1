-- Days on which a ticker may have come to mean another coin or another unit: the returns across them are null.
--
-- key: as_of_date, asset
-- as_of_date     | date of the instant 00:00 UTC that ends the first day after the break           | not null
-- asset          | the ticker                                                                      | not null
-- kind           | reused (absent for days, back at another level) or redenominated (×10, ×100 …)  | not null
-- last_date      | date of the instant 00:00 UTC that ends the last day before the break           | not null
-- absent_days    | days without a candle between them                                              | >= 0
-- price_ratio    | first price after the break over the last price before it, in quote             | > 0
-- previous_close | last price before the break, in quote                                           | > 0
-- next_open      | first price after the break, in quote                                           | > 0
-- venues         | venues on whose markets the break is seen, in order                             | not empty
with days as (
  select
    base as asset,
    venue,
    cast(open_time as date) + 1 as as_of_date,
    cast(lag(open_time) over market as date) + 1 as last_date,
    open as next_open,
    lag(close) over market as previous_close,
    base_volume / nullif(lag(base_volume) over market, 0) as volume_ratio
  from core.candles
  where
    market_type = 'spot' and timeframe = '1d'
    and isfinite(open) and open > 0 and isfinite(close) and close > 0
  window market as (partition by venue, market_id order by open_time)
),
steps as (
  select
    *,
    as_of_date - last_date - 1 as absent_days,
    next_open / previous_close as price_ratio,
    log10(next_open / previous_close) as decades,
    round(log10(next_open / previous_close)) as power
  from days
  where previous_close is not null
),
breaks as (
  select
    *,
    case
      -- A real move is traded through: it lies within candles, not between them. A tenfold step between two candles
      -- can still be real; then people go on trading as many coins, where a new unit trades a tenth of them.
      when
        power <> 0 and abs(decades - power) < 0.1
        and (abs(power) >= 2 or (volume_ratio > 0 and abs(log10(volume_ratio) + power) < 0.7))
        then 'redenominated'
      when absent_days >= 3 and abs(decades) > log10(2) then 'reused'
    end as kind
  from steps
)
select
  as_of_date,
  asset,
  min(kind) as kind,
  max(last_date) as last_date,
  max(absent_days) as absent_days,
  median(price_ratio) as price_ratio,
  median(previous_close) as previous_close,
  median(next_open) as next_open,
  array_agg(distinct venue order by venue) as venues
from breaks
where kind is not null
group by as_of_date, asset
