-- How new is the newest closed datum of each series, by what was known at the moment of the check?
with lengths (timeframe, seconds) as (
  values ('1m', 60), ('3m', 180), ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('2h', 7200),
    ('4h', 14400), ('6h', 21600), ('8h', 28800), ('12h', 43200), ('1d', 86400), ('3d', 259200), ('1w', 604800)
),
held as (
  select 'candles' as dataset, venue as source, market_type, market_id, timeframe, base as asset,
    max(open_time) + to_seconds(any_value(seconds)) as newest_data_at
  from core.candles
  inner join lengths using (timeframe)
  where known_at <= $as_of
  group by venue, market_type, market_id, timeframe, base
  union all
  select 'funding_rates', venue, 'perp', market_id, '', base, max(settled_at)
  from core.funding_rates
  where known_at <= $as_of
  group by venue, market_id, base
  union all
  select 'open_interest', venue, market_type, market_id, '', base, max(observed_at)
  from core.open_interest
  where known_at <= $as_of
  group by venue, market_type, market_id, base
  union all
  select 'mark_candles', venue, market_type, market_id, timeframe, base,
    max(open_time) + to_seconds(any_value(seconds))
  from core.mark_candles
  inner join lengths using (timeframe)
  where known_at <= $as_of
  group by venue, market_type, market_id, timeframe, base
  union all
  select 'implied_volatility', venue, kind, base || if(kind = 'index', ' index', ' options'), '', base,
    max(observed_at)
  from core.implied_volatility
  where known_at <= $as_of
  group by venue, kind, base
  union all
  select 'order_book_depth', venue, market_type, market_id, '', base, max(observed_at)
  from core.order_book_depth
  where known_at <= $as_of
  group by venue, market_type, market_id, base
  union all
  select 'tickers', venue, market_type, market_id, '', base, max(observed_at)
  from core.tickers
  where known_at <= $as_of
  group by venue, market_type, market_id, base
  union all
  select 'onchain_metrics', provider, '', asset || '/' || metric, '', asset,
    least(max(period_start) + interval 1 day, $as_of)
  from core.onchain_metrics
  where known_at <= $as_of
  group by provider, asset, metric
  union all
  select 'protocol_metrics', provider, '', entity || '/' || metric, '', '',
    least(max(period_start) + interval 1 day, $as_of)
  from core.protocol_metrics
  where known_at <= $as_of
  group by provider, entity, metric
  union all
  select 'stablecoins', provider, '', asset, '', asset, least(max(period_start) + interval 1 day, $as_of)
  from core.stablecoins
  where known_at <= $as_of
  group by provider, asset
  union all
  select 'macro_series', provider, '', series_id, '', '', least(max(period_start) + interval 1 day, $as_of)
  from core.macro_series
  where known_at <= $as_of and value is not null
  group by provider, series_id
  union all
  select 'yield_pools', provider, '', pool, '', '', least(max(period_start) + interval 1 day, $as_of)
  from core.yield_pools
  where known_at <= $as_of
  group by provider, pool
  union all
  select 'futures_positioning', provider, '', market_id, '', asset,
    least(max(period_start) + interval 1 day, $as_of)
  from core.futures_positioning
  where known_at <= $as_of
  group by provider, market_id, asset
  union all
  -- What gets a new row only when something happens or changes: here the reading counts.
  select dataset, source, '', '', '', '', max(as_of)
  from ops.loads
  where dataset in ('instruments', 'incidents', 'leverage_brackets') and status = 'loaded' and as_of <= $as_of
  group by dataset, source
)
select dataset, source, market_type, market_id, timeframe, asset, newest_data_at
from held
union all
-- A series without a row by then: it ended before the history that is kept, or nothing has come yet.
select dataset, source, market_type, market_id, timeframe, asset,
  case
    when newest_data_at <= $as_of and dataset = 'onchain_metrics' then newest_data_at
    -- A list that was read and holds nothing of the wanted history is as new as its reading.
    when checked_at <= $as_of and dataset = 'incidents' then checked_at
  end
from ops.series as asked
where status in ('active', 'failing')
  and dataset <> 'instruments'
  and (first_data_at is null or first_data_at <= $as_of)
  and not exists (
    from held
    where held.dataset = asked.dataset
      and held.source = asked.source
      and held.timeframe = asked.timeframe
      and held.asset = asked.asset
      and (held.market_type = asked.market_type or asked.market_type = '' or held.market_type = '')
  )
order by all
