-- Rows that the gate kept out, with their original values and the reason.
--
-- key: none
-- load_id        | the load they came with                                           | not null
-- dataset        | the table they were meant for                                     | not null
-- key            | their key columns                                                 | not null
-- row            | all their columns as received                                     | not null
-- reason_code    | the reason as a code                                              | not null
-- reason         | the reason as a sentence                                          | not null
-- quarantined_at | when they were kept out, UTC                                      | not null
-- released_at    | when they were let in after all, UTC                              |
create table ops.quarantine (
  load_id bigint not null,
  dataset varchar not null,
  key json not null,
  row json not null,
  reason_code varchar not null,
  reason varchar not null,
  quarantined_at timestamp not null,
  released_at timestamp
)
