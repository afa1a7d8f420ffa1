-- What happened to a recommendation after it was made: who, when, why.
--
-- key: none
-- recommendation_id | the recommendation                                           | not null
-- event             | proposed, accepted, rejected, snoozed, expired, superseded or retracted | not null
-- actor             | who did it; empty for the pipeline itself                    | not null
-- note              | why                                                          |
-- happened_at       | when, UTC                                                    | not null
-- until_at          | when a snooze ends by itself, UTC; null for other events     |
create table ops.recommendation_events (
  recommendation_id varchar not null,
  event varchar not null,
  actor varchar not null,
  note varchar,
  happened_at timestamp not null,
  until_at timestamp
)
