-- What did each line return on each day of the lookback? Each segment is a ticker's part of a line's history.
with segments as (
  select
    unnest($lines) as line,
    unnest($tickers) as ticker,
    unnest($after) as after_date,
    unnest($until) as until_date
)
select returns.as_of_date, segments.line, returns.simple_return
from segments
inner join mart.sleeve_returns as returns
  on returns.asset = segments.ticker
  and returns.sleeve = split_part(segments.line, ':', 1)
  and returns.as_of_date > cast(segments.after_date as date)
  and returns.as_of_date <= cast(segments.until_date as date)
where returns.as_of_date between $first_date and $last_date
  -- said twice: a constant keeps the sleeves that nobody asked for from being computed
  and list_contains(list_transform($lines, lambda line: split_part(line, ':', 1)), returns.sleeve)
order by returns.as_of_date, segments.line
