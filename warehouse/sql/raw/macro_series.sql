-- Every version of every observation of a macroeconomic series.
--
-- key: provider, series_id, period_start
-- time: period_start
-- provider         | who publishes the series, e.g. fred                               | not null
-- series_id        | the provider's name of the series, e.g. DGS10                     | not null
-- period_start     | start of the period the observation covers, UTC                   | not null
-- value            | the observation, in the series' own unit; null: the source says missing | finite or null
-- known_at         | when a user of the source could first have had this version, UTC  | not null
-- is_reconstructed | true: known_at is derived from the publication lag, not observed  | not null
-- load_id          | the load that brought this version                                | not null
create table raw.macro_series (
  provider varchar not null,
  series_id varchar not null,
  period_start timestamp not null,
  value double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
