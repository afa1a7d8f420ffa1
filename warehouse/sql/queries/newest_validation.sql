-- What did the newest validation of each dataset say?
with newest as (
  select suite, dataset, max(validated_at) as validated_at
  from ops.validations
  where as_of is not null and suite in ('audit', 'freshness')
  group by suite, dataset
)
select run_id, suite, dataset, expectation, column_name, severity, success, observed, message, validated_at, as_of
from ops.validations
inner join newest using (suite, dataset, validated_at)
where as_of is not null
order by suite, dataset, expectation, column_name
