-- Trading rules of every market as last read: steps, minimums, fees, expiry.
--
-- columns: raw.instruments
create table core.instruments as from raw.instruments with no data
