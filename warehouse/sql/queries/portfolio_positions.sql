-- What does the portfolio hold by its newest statement?
select venue, account, kind, asset, quantity, cost_basis_usd, is_immovable, as_of
from mart.current_positions
where portfolio = $portfolio
order by venue, account, kind, asset
