-- What does each stablecoin cost now?
select asset, price_usd
from mart.latest_stablecoin_prices
order by asset
