-- How much is traded in each spot market, how wide is its spread, how far does it move in a day?
select asset, venue, market_id, average_daily_volume_usd, half_spread_bps, daily_volatility
from mart.liquidity
where market_type = 'spot'
order by asset, venue, market_id
