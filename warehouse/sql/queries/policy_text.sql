-- What did a policy say, by its hash?
select toml
from ops.policies
where config_hash = $config_hash
