-- How much is traded in each market, how wide is its spread, how far does it move in a day?
select asset, venue, market_id, market_type, average_daily_volume_usd, half_spread_bps, daily_volatility
from mart.liquidity
where list_contains($market_types, market_type)
order by asset, venue, market_type, market_id
