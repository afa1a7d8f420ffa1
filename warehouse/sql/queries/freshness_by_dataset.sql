-- How fresh was each dataset at one moment, by the source that has the newest data?
select
  dataset,
  max(newest_data_at) as newest_data_at,
  min(age_seconds) as age_seconds,
  coalesce(arg_min(limit_seconds, age_seconds), min(limit_seconds)) as limit_seconds,
  bool_or(is_fresh) as is_fresh
from ops.freshness
where checked_at = $as_of
group by dataset
order by dataset
