-- Which hacks, exploits and thefts happened lately?
select entity, occurred_at, amount_usd
from core.incidents
where occurred_at >= $since
order by occurred_at, entity
