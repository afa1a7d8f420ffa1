-- What do the core tables hold, in figures that change whenever a fact is added or revised?
select 'candles' as part, count(*) as rows, coalesce(max(load_id), 0)::hugeint as mark from core.candles
union all
select 'funding_rates', count(*), coalesce(max(load_id), 0) from core.funding_rates
union all
select 'instruments', count(*), coalesce(max(load_id), 0) from core.instruments
union all
select 'order_book_depth', count(*), coalesce(max(load_id), 0) from core.order_book_depth
union all
select 'onchain_metrics', count(*), coalesce(max(load_id), 0) from core.onchain_metrics
union all
select 'protocol_metrics', count(*), coalesce(max(load_id), 0) from core.protocol_metrics
union all
select 'stablecoins', count(*), coalesce(max(load_id), 0) from core.stablecoins
union all
select 'macro_series', count(*), coalesce(max(load_id), 0) from core.macro_series
union all
select 'positions', count(*), coalesce(max(load_id), 0) from core.positions
union all
select 'series', count(*), coalesce(bit_xor(hash(source, dataset, market_type, market_id, timeframe, status)), 0)
from ops.series
union all
select 'gaps', count(*), coalesce(bit_xor(hash(venue, market_type, market_id, timeframe, gap_start, gap_end, status)), 0)
from ops.gaps
order by part
