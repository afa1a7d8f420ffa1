-- What did the newest validation say: of each audited table, and of the age of all datasets?
with newest as (
  -- Ages are judged together, so what was not judged the last time is no longer followed.
  select suite, dataset, case
    when suite = 'freshness' then max(max(validated_at)) over (partition by suite)
    else max(validated_at)
  end as validated_at
  from ops.validations
  where as_of is not null and suite in ('audit', 'freshness')
  group by suite, dataset
)
select run_id, suite, dataset, expectation, column_name, severity, success, observed, message, validated_at, as_of
from ops.validations
inner join newest using (suite, dataset, validated_at)
where as_of is not null
order by suite, dataset, expectation, column_name
