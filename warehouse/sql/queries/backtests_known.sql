-- Which of these backtests are stored already?
select backtest_id
from mart.backtests
where list_contains($ids, backtest_id)
order by backtest_id
