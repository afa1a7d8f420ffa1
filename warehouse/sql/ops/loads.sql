-- One row per batch that was written to raw and core.
--
-- key: load_id
-- load_id          | ascending number of the load; also in every row it brought      | not null
-- source           | where the batch came from                                       | not null
-- dataset          | the table it went to, with the timeframe for candles            | not null
-- as_of            | data time of the run, UTC                                       | not null
-- started_at       | when fetching began, UTC                                        | not null
-- finished_at      | when the batch was committed, UTC                               | not null
-- rows_received    | rows the source sent                                            | >= 0
-- rows_new         | keys never seen before                                          | >= 0
-- rows_revised     | keys whose values changed                                       | >= 0
-- rows_unchanged   | rows that were already there                                    | >= 0
-- rows_quarantined | rows the gate kept out                                          | >= 0
-- status           | loaded or refused                                               | not null
-- is_simulated     | true: the rows come from the simulated market                   | not null
-- message          | what the operator should know                                   |
create table ops.loads (
  load_id bigint not null,
  source varchar not null,
  dataset varchar not null,
  as_of timestamp not null,
  started_at timestamp not null,
  finished_at timestamp not null,
  rows_received bigint not null,
  rows_new bigint not null,
  rows_revised bigint not null,
  rows_unchanged bigint not null,
  rows_quarantined bigint not null,
  status varchar not null,
  is_simulated boolean not null,
  message varchar
)
