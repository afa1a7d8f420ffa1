-- How did these backtests go, day by day?
select *
from mart.backtest_days
where list_contains($ids, backtest_id)
order by backtest_id, as_of_date
