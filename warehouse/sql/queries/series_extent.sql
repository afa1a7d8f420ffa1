-- From which instant on is each series held?
select venue as source, 'candles' as dataset, market_type, market_id, timeframe, min(open_time) as held_from
from core.candles
group by venue, market_type, market_id, timeframe
union all
select venue, 'funding_rates', 'perp', market_id, '', min(settled_at)
from core.funding_rates
group by venue, market_id
union all
select venue, 'open_interest', market_type, market_id, '', min(observed_at)
from core.open_interest
group by venue, market_type, market_id
union all
select venue, 'mark_candles', market_type, market_id, timeframe, min(open_time)
from core.mark_candles
group by venue, market_type, market_id, timeframe
union all
select venue, 'implied_volatility', 'index', market_id, '', min(observed_at)
from core.implied_volatility
where kind = 'index'
group by venue, market_id
union all
select provider, 'onchain_metrics', '', asset || '/' || metric, '', min(period_start)
from core.onchain_metrics
group by provider, asset, metric
union all
select provider, 'protocol_metrics', '', entity || '/' || metric, '', min(period_start)
from core.protocol_metrics
group by provider, entity, metric
union all
select provider, 'stablecoins', '', asset, '', min(period_start)
from core.stablecoins
group by provider, asset
union all
select provider, 'macro_series', '', series_id, '', min(period_start)
from core.macro_series
group by provider, series_id
