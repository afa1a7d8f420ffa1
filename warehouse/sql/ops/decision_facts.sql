-- What a decision was told beside the data: kept so that it can be decided again from the same facts.
--
-- key: recommendation_id
-- recommendation_id | the recommendation                                                        | not null
-- datasets          | each dataset's state by the gate's last check before it: fresh, required, passed, ages | not null
-- suspects          | coins that the check named, each with its reason code and sentence        | not null
-- delisted          | series that venues had ended by then, as in ops.series                    | not null
-- python_version    | the interpreter that computed it                                          | not null
-- lock_hash         | sha256 of requirements.lock, the libraries that computed it               | not null
create table ops.decision_facts (
  recommendation_id varchar not null,
  datasets json not null,
  suspects json not null,
  delisted json not null,
  python_version varchar not null,
  lock_hash varchar not null
)
