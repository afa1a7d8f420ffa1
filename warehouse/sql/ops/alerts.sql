-- Alerts that were made; deliveries are in ops.deliveries.
--
-- key: alert_id
-- alert_id          | stable id, shown in the message                                 | not null
-- episode_id        | the episode it belongs to                                       | not null
-- recommendation_id | the recommendation it announces, if any                         |
-- portfolio         | the portfolio it is about, if any                               |
-- event             | recommendation, blocked, overdue or resolved                    | not null
-- severity          | critical, warning or info                                       | not null
-- title             | first line of the message                                       | not null
-- body              | the message                                                     | not null
-- created_at        | when it was made, real time, UTC                                | not null
-- valid_until       | what it says lapses then, data time, UTC                        |
-- send_until        | sending it makes no sense after this instant, real time, UTC    |
-- status            | pending, delivered, partial, failed, superseded or expired      | not null
-- is_simulated      | true: the data come from the simulated market                   | not null
create table ops.alerts (
  alert_id varchar not null,
  episode_id varchar not null,
  recommendation_id varchar,
  portfolio varchar,
  event varchar not null,
  severity varchar not null,
  title varchar not null,
  body varchar not null,
  created_at timestamp not null,
  valid_until timestamp,
  send_until timestamp,
  status varchar not null,
  is_simulated boolean not null
)
