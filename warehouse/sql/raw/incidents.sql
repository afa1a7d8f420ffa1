-- Every version of every hack, exploit or theft that a provider lists.
--
-- key: provider, occurred_at, incident_id
-- time: occurred_at
-- provider         | who lists the incident, e.g. defillama                                | not null
-- incident_id      | the name and, where there is one, the provider's number of what was hit | not null
-- occurred_at      | start of the day on which it happened, UTC                            | not null
-- entity           | the name of the protocol, bridge or venue that was hit                | not null
-- entity_id        | the provider's number of it; empty where the provider gives none      | not null
-- chains           | the chains concerned, separated by commas; empty where not said       | not null
-- classification   | the kind of weakness, in the provider's words; empty where not said   | not null
-- technique        | how it was done, in the provider's words; empty where not said        | not null
-- amount_usd       | what was lost, US dollars at the time                                 | >= 0 or null
-- returned_usd     | what came back since, US dollars                                      | >= 0 or null
-- is_bridge        | whether a bridge between chains was hit                               | not null
-- known_at         | when a reader of the list could first have known this version, UTC    | not null
-- is_reconstructed | true: known_at is derived from the day it happened, not observed      | not null
-- load_id          | the load that brought this version                                    | not null
create table raw.incidents (
  provider varchar not null,
  incident_id varchar not null,
  occurred_at timestamp not null,
  entity varchar not null,
  entity_id varchar not null,
  chains varchar not null,
  classification varchar not null,
  technique varchar not null,
  amount_usd double,
  returned_usd double,
  is_bridge boolean not null,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
