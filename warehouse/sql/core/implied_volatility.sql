-- Implied volatility: the index of each coin by the hour, and option chains with greeks as they were read.
--
-- columns: raw.implied_volatility
create table core.implied_volatility as from raw.implied_volatility with no data
