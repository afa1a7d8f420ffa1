-- Which known batches did the gate judge wrongly when it was last put to the test?
select dataset, expectation, message, as_of, validated_at
from ops.validations
where suite = 'canary'
  and run_id = (select arg_max(run_id, validated_at) from ops.validations where suite = 'canary')
  and not success
order by dataset, expectation
