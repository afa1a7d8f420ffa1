-- Every policy that ever decided, by its hash.
--
-- key: config_hash
-- config_hash   | hash of the policy                                                | not null
-- toml          | the policy as it was used, with all defaults                      | not null
-- first_used_at | when it first decided, UTC                                        | not null
create table ops.policies (
  config_hash varchar not null,
  toml varchar not null,
  first_used_at timestamp not null
)
