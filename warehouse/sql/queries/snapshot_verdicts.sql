-- What did the gate say of one snapshot at one moment: of each audited table, and of the age of all datasets?
-- Verdicts over the same content stand, so those on an earlier load count while no later one was judged; verdicts on
-- what was published after the snapshot, or at another moment, are none of its own.
with judged as (
  select *
  from ops.validations
  where suite in ('audit', 'freshness') and as_of = $as_of and load_ceiling <= $load_ceiling
),
newest as (
  -- Ages are judged together, so what was not judged the last time is no longer followed.
  select distinct on (suite, part) suite, part, load_ceiling, validated_at
  from (select *, case when suite = 'freshness' then '' else dataset end as part from judged)
  order by suite, part, load_ceiling desc, validated_at desc
)
select judged.run_id, judged.suite, dataset, expectation, column_name, severity, success, observed, message
from judged
inner join newest
  on newest.suite = judged.suite and newest.validated_at = judged.validated_at
    and newest.load_ceiling = judged.load_ceiling and newest.part in ('', judged.dataset)
order by judged.suite, dataset, expectation, column_name
