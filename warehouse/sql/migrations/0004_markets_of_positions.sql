-- Positions say on which market they are and in which currency their entry price and margin are.
-- Older statements named neither: their prices were in US dollars.
alter table core.positions add column market_id varchar default '';
alter table core.positions add column quote varchar default 'USD';
