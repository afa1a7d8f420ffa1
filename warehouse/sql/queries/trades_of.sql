-- Which trades does a recommendation consist of, in order?
select line, venue, market_id, symbol, side, quantity, reference_price, notional_usd,
  estimated_fee_usd, estimated_slippage_usd, reason_code, reason
from mart.recommendation_trades
where recommendation_id = $recommendation_id
order by line
