-- When did each coin last have a closed candle, whatever its age?
select asset, max(price_at) as price_at
from mart.latest_prices
group by asset
order by asset
