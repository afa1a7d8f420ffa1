-- What each signal had to say in each recommendation: the views that moved expected returns, and signals without any.
--
-- key: recommendation_id, signal, asset
-- recommendation_id | the recommendation                                          | not null
-- signal            | its name, as in mart.signals                                | not null
-- asset             | the coin the view is on; empty: the signal has no view      | not null
-- value             | annual return beyond the prior; null: no view               | finite or null
-- confidence        | from 0 (the prior stays) to 0.3 for all views on a coin together | 0 to 0.3
-- evidence          | what the signal was worth out of sample: coefficients with errors, t, q, windows, is_proven | not null
create table mart.decision_views (
  recommendation_id varchar not null,
  signal varchar not null,
  asset varchar not null,
  value double,
  confidence double not null,
  evidence json not null
)
