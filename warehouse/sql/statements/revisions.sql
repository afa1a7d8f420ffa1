-- Facts of one table whose value changed after it was first known, and the recommendations that used the earlier one.
with touched as (
  select distinct {key}
  from {source}
  where known_at >= {since} and known_at <= {until}
),
versions as (
  select
    facts.*,
    lag(load_id) over version as earlier_load_id,
    lag(known_at) over version as earlier_known_at,
    first_value(known_at) over version as first_known_at,
    list_filter({changes}, lambda change: change.before is distinct from change.after) as changes
  from {source} as facts
  semi join touched using ({key})
  window version as (partition by {key} order by known_at, load_id)
),
revised as (
  select *
  from versions
  where earlier_load_id is not null and known_at >= {since} and known_at <= {until} and len(changes) > 0
),
decided as (
  select distinct
    recommendations.recommendation_id,
    recommendations.as_of,
    cast(split_part(recommendations.input_snapshot, '@', 2) as bigint) as load_ceiling,
    lines.asset
  from mart.recommendations as recommendations
  inner join mart.decision_lines as lines using (recommendation_id)
  where {is_deciding}
)
select
  {name} as table_name,
  {asset} as asset,
  concat_ws(' ', {key_text}) as fact,
  revised.first_known_at,
  revised.earlier_known_at,
  revised.known_at,
  revised.earlier_load_id,
  revised.load_id,
  revised.changes as changes,
  coalesce(
    list(distinct decided.recommendation_id order by decided.recommendation_id)
      filter (where decided.recommendation_id is not null),
    []
  ) as recommendations
from revised
left join decided
  on decided.asset = {asset}
  and decided.load_ceiling >= revised.earlier_load_id
  and decided.load_ceiling < revised.load_id
  and decided.as_of >= revised.earlier_known_at
  and decided.as_of >= {moment}
  and {moment} >= decided.as_of - to_days({days})
group by all
order by revised.known_at desc, revised.load_id desc, fact
