-- Every version of every daily on-chain metric of an asset.
--
-- key: provider, asset, metric, period_start
-- time: period_start
-- provider         | who publishes the figure, e.g. coinmetrics                        | not null
-- asset            | the asset, upper case                                             | not null
-- metric           | the provider's name of the metric, e.g. AdrActCnt                 | not null
-- period_start     | start of the day the figure covers, UTC; it closes one day later  | not null
-- value            | the figure, in the metric's own unit; null: the source has none   | finite or null
-- known_at         | when a user of the source could first have had this version, UTC  | not null, >= end of the day
-- is_reconstructed | true: known_at is derived from the publication lag, not observed  | not null
-- load_id          | the load that brought this version                                | not null
create table raw.onchain_metrics (
  provider varchar not null,
  asset varchar not null,
  metric varchar not null,
  period_start timestamp not null,
  value double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
