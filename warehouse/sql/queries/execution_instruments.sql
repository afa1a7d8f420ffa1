-- By which rules does each market of the execution venues trade?
select
  venue, market_id, symbol, base, quote, market_type, contract_size, amount_step, price_step, min_amount, min_cost,
  maker_fee, taker_fee, is_active, expires_at
from core.instruments
where list_contains($venues, venue)
  and list_contains($market_types, market_type)
  and (market_type = 'spot' or isfinite(contract_size) and contract_size > 0)
order by venue, market_type, market_id
