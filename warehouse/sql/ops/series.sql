-- One row per series that is asked for: what it has, and how far it was read.
--
-- key: source, dataset, market_type, market_id, timeframe
-- source         | where the series comes from                                       | not null
-- dataset        | the table it goes to                                              | not null
-- market_type    | spot or perp: one venue may use one id for both; empty if none    | not null
-- market_id      | market, or asset and metric, or series id, as the source names it | not null
-- timeframe      | length of a candle; empty for the others                          | not null
-- asset          | the asset the series is about; empty if none                      | not null
-- status         | active, not_listed, delisted, unsupported or failing              | not null
-- first_data_at  | instant of the first datum the source has, UTC                    |
-- newest_data_at | end of the newest closed datum, UTC; for a candle its close       |
-- fetched_until  | everything before this instant is stored, UTC                     |
-- checked_at     | when the source was last asked, UTC                               |
-- message        | what the operator should know                                     |
create table ops.series (
  source varchar not null,
  dataset varchar not null,
  market_type varchar not null,
  market_id varchar not null,
  timeframe varchar not null,
  asset varchar not null,
  status varchar not null,
  first_data_at timestamp,
  newest_data_at timestamp,
  fetched_until timestamp,
  checked_at timestamp,
  message varchar
)
