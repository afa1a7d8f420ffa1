-- Age of the newest closed datum of each dataset and source at the last check.
--
-- key: dataset, source
-- dataset        | the dataset, with the timeframe for candles: candles_1d           | not null
-- source         | where it comes from                                               | not null
-- newest_data_at | end of the newest closed datum, UTC                               |
-- age_seconds    | from newest_data_at to checked_at, in seconds                     | >= 0 or null
-- limit_seconds  | oldest age allowed, in seconds                                    | > 0 or null
-- is_fresh       | the age is within the limit                                       | not null
-- checked_at     | data time of the check, UTC                                       | not null
-- required_by    | portfolios that can not decide without it                         |
create table ops.freshness (
  dataset varchar not null,
  source varchar not null,
  newest_data_at timestamp,
  age_seconds double,
  limit_seconds double,
  is_fresh boolean not null,
  checked_at timestamp not null,
  required_by varchar[]
)
