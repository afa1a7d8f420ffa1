-- How many different keys the batch has, told apart by their hashes.
select count(*) as different
from (select distinct hash({key}) from staged) as hashes
