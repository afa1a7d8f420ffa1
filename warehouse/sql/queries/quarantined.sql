-- Which rows were kept out and are not released, by source, dataset and reason, with the newest example?
select
  loads.source,
  kept.dataset,
  kept.reason_code,
  count(*) as rows,
  max(kept.quarantined_at) as newest_at,
  arg_max(kept.reason, kept.quarantined_at) as example
from ops.quarantine as kept
left join ops.loads as loads using (load_id)
where kept.released_at is null
group by loads.source, kept.dataset, kept.reason_code
order by newest_at desc
limit $most
