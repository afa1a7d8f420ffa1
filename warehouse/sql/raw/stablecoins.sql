-- Every version of every day's supply and price of a stablecoin.
--
-- key: provider, asset, period_start
-- time: period_start
-- provider         | who publishes the figures, e.g. defillama                         | not null
-- asset            | the stablecoin, upper case                                        | not null
-- period_start     | start of the day the figures cover, UTC                           | not null
-- supply           | tokens in circulation                                             | >= 0 or null
-- price_usd        | price of one token, in US dollars                                 | > 0 or null
-- known_at         | when a user of the source could first have had this version, UTC  | not null
-- is_reconstructed | true: known_at is derived from the publication lag, not observed  | not null
-- load_id          | the load that brought this version                                | not null
create table raw.stablecoins (
  provider varchar not null,
  asset varchar not null,
  period_start timestamp not null,
  supply double,
  price_usd double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
