-- By which rules does each spot market of the quote currency trade?
select venue, market_id, symbol, base, quote, market_type, amount_step, price_step, min_amount, min_cost, maker_fee, taker_fee, is_active
from core.instruments
where market_type = 'spot'
  and list_contains($venues, venue)
order by venue, market_id
