-- Where does the chain of the scoreboard end?
select entry, row_hash
from mart.scoreboard
order by entry desc
limit 1
