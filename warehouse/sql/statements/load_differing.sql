-- How many rows of the batch have another value under their key than what is stored.
select count(*) as differing
from staged
inner join (select * from {core} as held where {bound}) as held on {match}
where {differs}
