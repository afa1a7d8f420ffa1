-- Since when are the trading rules of each venue known?
select venue, min(known_at) as known_at
from raw.instruments
where list_contains($venues, venue)
group by venue
order by venue
