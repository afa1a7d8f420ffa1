-- On which days of the lookback may a coin's ticker have come to mean another coin or another unit?
select asset, as_of_date, kind, last_date, absent_days, price_ratio, previous_close, next_open, venues
from mart.identity_breaks
where list_contains($assets, asset)
  and as_of_date between $first_date and $last_date
order by asset, as_of_date
