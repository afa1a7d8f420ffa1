-- What did each coin return on each day that there is, for judging what signals said before?
select as_of_date, asset, simple_return
from mart.signal_days
where list_contains($assets, asset) and as_of_date <= $last_date and simple_return is not null
order by as_of_date, asset
