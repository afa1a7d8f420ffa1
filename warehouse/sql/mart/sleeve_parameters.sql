-- How each line of a sleeve other than spot and cash is built, by the configuration of the newest ingest.
-- A decision does not read these rows: it brings its own configuration, so that a replay builds what was built then.
--
-- key: sleeve, asset, place
-- sleeve       | carry, basis, yield, staking or options                                     | not null
-- asset        | the asset of the line                                                       | not null
-- place        | order of preference: the first place that has data builds the line          | >= 1
-- venue        | venue of the derivative leg, by its ccxt id; empty for a pool               | not null
-- pool         | the provider's id of the pool; empty for a market                           | not null
-- leverage     | notional over margin of the derivative leg, restored at every 00:00 UTC     | > 0 or null
-- haircut      | annual fraction of capital taken off a pool's yield                         | >= 0
-- reward_share | share of a pool's reward tokens that counts as yield                        | 0 to 1 or null
-- roll_days    | a dated contract or an option is left this many days before it expires      | >= 0 or null
-- tenor_days   | days to expiry that a written call is chosen near to                        | > 0 or null
-- delta        | delta that a written call is chosen near to                                 | 0 to 1 or null
create table mart.sleeve_parameters (
  sleeve varchar not null,
  asset varchar not null,
  place integer not null,
  venue varchar not null,
  pool varchar not null,
  leverage double,
  haircut double not null,
  reward_share double,
  roll_days double,
  tenor_days double,
  delta double
)
