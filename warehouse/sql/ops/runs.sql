-- One row per run of a flow.
--
-- key: run_id
-- run_id      | the run                                                           | not null
-- flow        | the flow that ran                                                 | not null
-- slot        | the moment it was due, UTC                                        |
-- started_at  | when it started, UTC                                              | not null
-- finished_at | when it ended, UTC; null while it runs or after it was killed     |
-- status      | running, done, failed, blocked, skipped_overlap or lost             | not null
-- reason_code | the reason as a code                                              |
-- message     | what the operator should know                                     |
create table ops.runs (
  run_id varchar not null,
  flow varchar not null,
  slot timestamp,
  started_at timestamp not null,
  finished_at timestamp,
  status varchar not null,
  reason_code varchar,
  message varchar
)
