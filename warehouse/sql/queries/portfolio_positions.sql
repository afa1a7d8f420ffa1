-- What does the portfolio hold by its newest statement?
select venue, account, kind, asset, coalesce(market_id, '') as market_id, quantity, entry_price, margin, margin_mode,
  leverage, coalesce(quote, 'USD') as quote, cost_basis_usd, is_immovable, as_of
from mart.current_positions
where portfolio = $portfolio and quantity <> 0
order by venue, account, kind, asset, market_id
