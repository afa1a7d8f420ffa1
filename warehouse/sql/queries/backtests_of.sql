-- What came of these backtests?
select *
from mart.backtests
where list_contains($ids, backtest_id)
order by is_baseline, name, variation, backtest_id
