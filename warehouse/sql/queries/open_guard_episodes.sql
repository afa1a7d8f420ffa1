-- Which breaches of a portfolio are not over?
select *
from ops.guard_episodes
where portfolio = $portfolio and closed_at is null
order by opened_at, episode_id
