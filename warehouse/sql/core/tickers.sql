-- Best prices, last trade and a day's volume of markets at the moments they were read.
--
-- columns: raw.tickers
create table core.tickers as from raw.tickers with no data
