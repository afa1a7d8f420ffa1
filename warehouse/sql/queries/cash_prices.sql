-- What is each stablecoin worth in US dollars, by the newest day that any source has?
select asset, as_of_date, price_usd, sources
from mart.stablecoin_prices
where as_of_date <= $last_date
qualify row_number() over (partition by asset order by as_of_date desc) = 1
order by asset
