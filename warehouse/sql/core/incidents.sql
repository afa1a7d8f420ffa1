-- Hacks, exploits and thefts: the newest accepted version of each.
--
-- columns: raw.incidents
create table core.incidents as from raw.incidents with no data
