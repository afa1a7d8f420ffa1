-- Which spot and perpetual markets have daily candles, whatever is known of their rules?
select distinct venue, market_type, market_id, symbol, base, quote
from core.candles
where timeframe = '1d' and market_type in ('spot', 'perp')
  and list_contains($venues, venue) and list_contains($assets, base)
order by venue, market_type, market_id
