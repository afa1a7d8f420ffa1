-- What did a deposit of an asset grow by each day, in units of the asset, haircut taken off?
select
  deposits.as_of_date, deposits.sleeve || ':' || deposits.asset as line,
  (1 + deposits.simple_return) / (1 + own.simple_return) - 1 as growth
from mart.sleeve_returns as deposits
inner join mart.sleeve_returns as own
  on own.asset = deposits.asset and own.as_of_date = deposits.as_of_date and own.sleeve in ('spot', 'cash')
where list_contains($lines, deposits.sleeve || ':' || deposits.asset)
  and deposits.sleeve in ('yield', 'staking')
  and deposits.as_of_date between $first_date and $last_date
order by deposits.as_of_date, line
