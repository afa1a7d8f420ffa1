-- What a load added to the record of versions is current now.
insert into {core} ({columns})
select {columns}
from {record}
where load_id = $load_id
