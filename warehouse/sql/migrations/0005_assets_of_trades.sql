-- A trade says which asset's line it changes: a pool's symbol need not name it.
alter table mart.recommendation_trades add column asset varchar;
update mart.recommendation_trades set asset = split_part(symbol, '/', 1);
