-- Daily supply and price of stablecoins: the newest accepted version of each.
--
-- columns: raw.stablecoins
create table core.stablecoins as from raw.stablecoins with no data
