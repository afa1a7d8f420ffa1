-- One row per slot in which a flow was due.
--
-- key: flow, slot
-- flow       | the flow that was due                                             | not null
-- slot       | the moment it was due, UTC                                        | not null
-- status     | on_time, late, missed, caught_up, superseded or skipped_overlap   | not null
-- run_id     | the run that served the slot, if any                              |
-- noticed_at | when the status was noticed, UTC                                  | not null
create table ops.expected_runs (
  flow varchar not null,
  slot timestamp not null,
  status varchar not null,
  run_id varchar,
  noticed_at timestamp not null
)
