-- Every version of every daily reading of a yield or lending pool.
--
-- key: provider, pool, period_start
-- time: period_start
-- provider         | who publishes the reading, e.g. defillama                            | not null
-- pool             | the provider's id of the pool                                        | not null
-- chain            | the chain the pool is on, as the provider calls it                   | not null
-- project          | the protocol that runs the pool, as the provider calls it            | not null
-- symbol           | the token or tokens that are deposited                               | not null
-- period_start     | start of the day whose last reading this is, UTC                     | not null
-- apy_base         | what the pool itself pays depositors, fraction a year: 0.05 is 5 %   | finite or null
-- apy_reward       | what is paid on top in other tokens, fraction a year                 | finite or null
-- apy_base_borrow  | what borrowers pay, fraction a year; null where it was not asked for | finite or null
-- tvl_usd          | value deposited, US dollars                                          | >= 0 or null
-- total_borrow_usd | value lent out, US dollars; null where it was not asked for          | >= 0 or null
-- known_at         | when a user of the source could first have had this version, UTC     | not null
-- is_reconstructed | true: known_at is derived from the publication lag, not observed     | not null
-- load_id          | the load that brought this version                                   | not null
create table raw.yield_pools (
  provider varchar not null,
  pool varchar not null,
  chain varchar not null,
  project varchar not null,
  symbol varchar not null,
  period_start timestamp not null,
  apy_base double,
  apy_reward double,
  apy_base_borrow double,
  tvl_usd double,
  total_borrow_usd double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
