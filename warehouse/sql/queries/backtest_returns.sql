-- What did these backtests return on each day?
select backtest_id, as_of_date, simple_return
from mart.backtest_days
where list_contains($ids, backtest_id)
order by backtest_id, as_of_date
