-- What did each line of the universe return on each day of the lookback?
select as_of_date, sleeve || ':' || asset as line, simple_return
from mart.sleeve_returns
where as_of_date between $first_date and $last_date
  and list_contains($lines, sleeve || ':' || asset)
order by as_of_date, line
