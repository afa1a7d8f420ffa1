-- Which spot markets and contracts have daily candles, whatever is known of their rules then? The end of a dated contract
-- is part of its name from the first day on.
select distinct
  candles.venue, candles.market_type, candles.market_id, candles.symbol, candles.base, candles.quote,
  case when candles.market_type = 'future' then rules.expires_at end as expires_at
from core.candles as candles
left join core.instruments as rules using (venue, market_type, market_id)
where candles.timeframe = '1d'
  and (candles.market_type in ('spot', 'perp') or candles.market_type = 'future' and rules.expires_at is not null
    and isfinite(rules.contract_size) and rules.contract_size > 0)
  and list_contains($venues, candles.venue) and list_contains($assets, candles.base)
order by candles.venue, candles.market_type, candles.market_id
