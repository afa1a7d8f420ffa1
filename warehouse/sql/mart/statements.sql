-- The imported statements of each portfolio in the order of the moments they describe, and how long each holds.
--
-- key: portfolio, statement_id
-- portfolio    | the portfolio's name in the configuration                                  | not null
-- statement_id | the statement, as in core.positions                                        | not null
-- as_of        | the moment it describes, UTC: the newest among its rows                    | not null
-- until_at     | the moment of the next statement; null: it holds until today               | > as_of or null
-- known_at     | when it was imported, UTC                                                  | not null
-- positions    | number of its rows                                                         | >= 1
with imported as (
  select portfolio, statement_id, max(as_of) as as_of, max(known_at) as known_at, count(*) as positions
  from core.positions
  group by portfolio, statement_id
),
-- Of two statements about one moment the later import is the correction.
kept as (
  select * from imported
  qualify row_number() over (partition by portfolio, as_of order by known_at desc, statement_id desc) = 1
)
select
  portfolio, statement_id, as_of, lead(as_of) over (partition by portfolio order by as_of) as until_at, known_at,
  positions
from kept
