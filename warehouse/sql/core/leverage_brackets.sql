-- Leverage brackets as last read, also those that no longer exist: mart.current_leverage_brackets leaves them out.
--
-- columns: raw.leverage_brackets
create table core.leverage_brackets as from raw.leverage_brackets with no data
