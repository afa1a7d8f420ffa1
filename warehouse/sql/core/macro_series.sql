-- Observations of macroeconomic series: the newest accepted version of each.
--
-- columns: raw.macro_series
create table core.macro_series as from raw.macro_series with no data
