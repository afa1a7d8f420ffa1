-- Breaches that the guard found, from the first look that showed them to the one that no longer did.
--
-- key: episode_id
-- episode_id   | the episode, part of its alerts' ids                                          | not null
-- portfolio    | the portfolio it is about                                                     | not null
-- kind         | margin, delta, depeg, funding, delisting, halt, incident or cash_floor        | not null
-- subject      | what is concerned: a leg, an account, an asset                                | not null
-- level        | warning or critical, the worst that was told                                  | not null
-- measure      | what the newest look found, in the unit of the kind; null where infinite      |
-- limit_value  | what is allowed, in the same unit                                             |
-- excess       | how far beyond the limit the newest look found it; null where infinite        |
-- sightings    | looks in a row that showed it                                                 | not null, >= 1
-- quiet_looks  | looks in a row that no longer did                                             | not null, >= 0
-- opened_at    | data time of the first look, UTC                                              | not null
-- announced_at | data time of the look that was told, UTC; null: not confirmed yet             |
-- seen_at      | data time of the newest look, UTC                                             | not null
-- closed_at    | data time of the look that ended it, UTC                                      |
-- sentence     | what was found, in words                                                      | not null
create table ops.guard_episodes (
  episode_id varchar not null,
  portfolio varchar not null,
  kind varchar not null,
  subject varchar not null,
  level varchar not null,
  measure double,
  limit_value double,
  excess double,
  sightings integer not null,
  quiet_looks integer not null,
  opened_at timestamp not null,
  announced_at timestamp,
  seen_at timestamp not null,
  closed_at timestamp,
  sentence varchar not null
)
