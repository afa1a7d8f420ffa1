-- Verdicts of the gate: one row per expectation that was judged.
--
-- key: none
-- run_id       | the run that judged                                               | not null
-- suite        | the suite, layer_table                                            | not null
-- dataset      | what was judged                                                   | not null
-- expectation  | the rule                                                          | not null
-- column_name  | the column it is about; empty for the whole table                 |
-- severity     | critical, warning or info                                         | not null
-- success      | the rule holds                                                    | not null
-- observed     | what was found                                                    |
-- message      | wanted and found, as a sentence                                   |
-- validated_at | when it was judged, UTC                                           | not null
-- as_of        | data time of the run, UTC; null for a batch                       |
-- load_ceiling | highest load of the published data judged; null for a batch       |
create table ops.validations (
  run_id varchar not null,
  suite varchar not null,
  dataset varchar not null,
  expectation varchar not null,
  column_name varchar,
  severity varchar not null,
  success boolean not null,
  observed json,
  message varchar,
  validated_at timestamp not null,
  as_of timestamp,
  load_ceiling bigint
)
