-- A trade may be a contract, one leg of a pair, or a step by hand; what was recorded before are spot orders.
alter table mart.recommendation_trades add column sleeve varchar;
alter table mart.recommendation_trades add column market_type varchar;
alter table mart.recommendation_trades add column pair integer;
alter table mart.recommendation_trades add column contracts decimal(38, 18);
alter table mart.recommendation_trades add column limit_price decimal(38, 18);
alter table mart.recommendation_trades add column is_reduce_only boolean;
alter table mart.recommendation_trades add column steps_before json;
update mart.recommendation_trades set market_type = 'spot', contracts = quantity, is_reduce_only = false;
