-- Rows over those with the same key; columns that are not given keep what is stored.
create or replace temp table merged as
select {columns}
from batch
left join {table} as held on {match}
