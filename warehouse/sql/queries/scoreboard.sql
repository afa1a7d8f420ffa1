-- What is on the scoreboard, in the order of its chain?
from mart.scoreboard
order by entry
