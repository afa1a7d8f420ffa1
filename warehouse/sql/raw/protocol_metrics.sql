-- Every version of every daily figure of a chain or protocol: value locked, fees, revenue.
--
-- key: provider, entity_kind, entity, metric, period_start
-- time: period_start
-- provider         | who publishes the figure, e.g. defillama                          | not null
-- entity_kind      | chain or protocol                                                 | not null
-- entity           | the provider's name of the chain, or the protocol's slug          | not null
-- metric           | tvl_usd (value locked), fees_usd (paid by users), revenue_usd     | not null
-- period_start     | start of the day the figure covers, UTC                           | not null
-- value            | the figure in US dollars; revenue may be negative                 | finite or null
-- known_at         | when a user of the source could first have had this version, UTC  | not null
-- is_reconstructed | true: known_at is derived from the publication lag, not observed  | not null
-- load_id          | the load that brought this version                                | not null
create table raw.protocol_metrics (
  provider varchar not null,
  entity_kind varchar not null,
  entity varchar not null,
  metric varchar not null,
  period_start timestamp not null,
  value double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
