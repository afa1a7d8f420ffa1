-- Attempts to deliver an alert over a channel.
--
-- key: alert_id, channel, attempt
-- alert_id     | the alert                                                         | not null
-- channel      | the channel's name in the configuration                           | not null
-- attempt      | number of the attempt                                             | not null, >= 1
-- attempted_at | when it began, real time, UTC                                     | not null
-- status       | sending, sent, failed or ambiguous (sent or not is unknown)       | not null
-- is_repeat    | the message says that it may repeat an earlier one                | not null
-- detail       | what the channel answered, without secrets                        |
create table ops.deliveries (
  alert_id varchar not null,
  channel varchar not null,
  attempt integer not null,
  attempted_at timestamp not null,
  status varchar not null,
  is_repeat boolean not null,
  detail varchar
)
