-- Hourly open interest of perpetual contracts: the newest accepted version of each point.
--
-- columns: raw.open_interest
create table core.open_interest as from raw.open_interest with no data
