-- What did each macroeconomic series stand at on each day since a date?
select series_id, cast(period_start as date) as day, value
from core.macro_series
where isfinite(value) and period_start >= cast($first_date as timestamp)
order by series_id, period_start
