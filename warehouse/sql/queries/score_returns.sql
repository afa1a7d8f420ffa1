-- What did each line return on each day of a horizon?
select as_of_date, sleeve || ':' || asset as line, simple_return
from mart.sleeve_returns
where as_of_date > $first_date and as_of_date <= $last_date and list_contains($lines, sleeve || ':' || asset)
order by as_of_date, line
