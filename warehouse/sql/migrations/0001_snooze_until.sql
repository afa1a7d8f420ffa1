-- A snooze ends by itself.
alter table ops.recommendation_events add column until_at timestamp
