-- Weekly reports on who holds a future: the newest accepted version of each.
--
-- columns: raw.futures_positioning
create table core.futures_positioning as from raw.futures_positioning with no data
