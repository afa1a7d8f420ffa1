-- Closed candles of the mark price of perpetual contracts: the newest accepted version of each.
--
-- columns: raw.mark_candles
create table core.mark_candles as from raw.mark_candles with no data
