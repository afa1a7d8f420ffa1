-- Funding settlements of perpetual contracts: the newest accepted version of each.
--
-- columns: raw.funding_rates
create table core.funding_rates as from raw.funding_rates with no data
