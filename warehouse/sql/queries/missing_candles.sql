-- Which stretches between the first and the newest candle of a venue's series have no candle, from an instant on?
with steps (timeframe, seconds) as (
  values ('1m', 60), ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200), ('4h', 14400),
    ('6h', 21600), ('8h', 28800), ('12h', 43200), ('1d', 86400)
),
neighbours as (
  select
    market_type,
    market_id,
    timeframe,
    open_time,
    lead(open_time) over (partition by market_type, market_id, timeframe order by open_time) as next_open_time
  from core.candles
  where venue = $venue and open_time >= $since
)
select
  market_type,
  market_id,
  timeframe,
  open_time + to_seconds(seconds) as gap_start,
  next_open_time as gap_end
from neighbours
inner join steps using (timeframe)
where next_open_time > open_time + to_seconds(seconds)
order by market_type, market_id, timeframe, gap_start
