-- What is each stablecoin worth in US dollars, by its dollar markets or the newest day that any source has?
select asset, price_usd, price_at, sources
from mart.latest_stablecoin_prices
where price_at <= $as_of
order by asset
