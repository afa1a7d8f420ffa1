-- Daily figures of chains and protocols: the newest accepted version of each.
--
-- columns: raw.protocol_metrics
create table core.protocol_metrics as from raw.protocol_metrics with no data
