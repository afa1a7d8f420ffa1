-- Which statement of positions is the portfolio's newest?
select statement_id, known_at, as_of
from core.positions
where portfolio = $portfolio
order by statement_id desc
limit 1
