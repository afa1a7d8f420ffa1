-- Closed candles of every venue: the newest accepted version of each.
--
-- columns: raw.candles
create table core.candles as from raw.candles with no data
