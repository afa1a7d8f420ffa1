-- Daily readings of yield and lending pools: the newest accepted version of each.
--
-- columns: raw.yield_pools
create table core.yield_pools as from raw.yield_pools with no data
