-- What is each coin's market capitalisation, where it is known and not too old?
select asset, market_cap_usd, as_of_date
from mart.market_caps
where list_contains($assets, asset)
  and as_of_date >= $oldest
order by asset
