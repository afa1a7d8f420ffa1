-- Daily on-chain metrics of assets: the newest accepted version of each.
--
-- columns: raw.onchain_metrics
create table core.onchain_metrics as from raw.onchain_metrics with no data
