-- The published snapshot this file is: its number, age and content.
--
-- key: snapshot_id
-- snapshot_id  | number of the snapshot                                            | not null
-- published_at | when it was published, UTC                                        | not null
-- load_id      | highest load it contains                                          | not null
-- age_seconds  | from published_at to the moment of the query, in seconds          | >= 0
-- as_of        | data time of the run that published it, UTC                       | not null
-- is_simulated | true: its data come from the simulated market                     | not null
select
  snapshot_id,
  published_at,
  load_id,
  epoch(now()) - epoch(published_at) as age_seconds,
  as_of,
  is_simulated
from ops.publications
order by snapshot_id desc
limit 1
