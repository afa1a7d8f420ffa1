-- Regime: is the coin calmer or wilder than in its year, and did trading move between venues?
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | volatility_regime (+: wilder), venue_share_break (+: some venue's share changed); a fall is expected | not null
-- value      | volatility_regime: deviation of daily returns over 30 days over that of 365; venue_share_break: largest change of a venue's share of volume, 7 days against 90, a fraction | >= 0
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with volatilities as (
  select
    as_of_date,
    asset,
    stddev_samp(simple_return) over month as month_deviation,
    stddev_samp(simple_return) over year as year_deviation,
    known_at
  from mart.signal_days
  window
    month as (partition by asset order by as_of_date range between interval 29 days preceding and current row),
    year as (partition by asset order by as_of_date range between interval 364 days preceding and current row)
  qualify count(simple_return) over month >= 28 and count(simple_return) over year >= 350
),
volumes as (
  select
    cast(open_time as date) + 1 as as_of_date,
    base as asset,
    venue,
    sum(coalesce(base_volume, quote_volume / close) order by market_id) as coins,
    max(known_at) as known_at
  from core.candles
  where market_type = 'spot' and timeframe = '1d' and isfinite(close) and close > 0
  group by as_of_date, asset, venue
),
shares as (
  select *, coins / sum(coins order by venue) over (partition by as_of_date, asset) as share
  from volumes
  -- One venue alone has no share that could move.
  qualify count(*) over (partition by as_of_date, asset) >= 2 and sum(coins) over (partition by as_of_date, asset) > 0
),
moved as (
  select
    as_of_date,
    asset,
    abs(avg(share) over week - avg(share) over quarter) as change,
    count(*) over quarter as days,
    known_at
  from shares
  window
    week as (partition by asset, venue order by as_of_date range between interval 6 days preceding and current row),
    quarter as (partition by asset, venue order by as_of_date range between interval 89 days preceding and current row)
)
select
  as_of_date, asset, 'volatility_regime' as signal, month_deviation / year_deviation as value, known_at
from volatilities
where year_deviation > 0
union all
select as_of_date, asset, 'venue_share_break', max(change), max(known_at)
from moved
where days >= 60
group by as_of_date, asset
