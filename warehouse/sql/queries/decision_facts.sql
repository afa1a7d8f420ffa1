-- What was a decision told beside the data?
select datasets, suspects, delisted, python_version, lock_hash
from ops.decision_facts
where recommendation_id = $recommendation_id
