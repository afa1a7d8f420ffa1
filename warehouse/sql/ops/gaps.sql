-- Stretches in which a series should have rows and has none; never filled with invented ones.
--
-- key: venue, market_type, market_id, dataset, timeframe, gap_start
-- venue         | exchange or provider                                              | not null
-- market_type   | spot, perp or future: one venue may use one id for both; empty if none    | not null
-- market_id     | market, or asset and metric                                       | not null
-- dataset       | the table                                                         | not null
-- timeframe     | length of a candle; empty for the others                          | not null
-- gap_start     | first missing instant, UTC                                        | not null
-- gap_end       | first instant that is there again, UTC                            | not null
-- status        | open (asked for in every run), confirmed (see evidence) or closed | not null
-- attempts      | how often the stretch was asked for                               | >= 0
-- first_seen_at | when the gap was noticed, UTC                                     | not null
-- closed_at     | when the rows came after all, UTC                                 |
-- rounds        | in how many runs, at least an hour apart, it was asked for        | >= 0
-- asked_at      | when the newest of these rounds was, real time, UTC               |
-- evidence      | asked (in several runs), outage (no other market of the venue has rows then), unserved (the venue serves so old rows no longer); empty while open |
create table ops.gaps (
  venue varchar not null,
  market_type varchar not null,
  market_id varchar not null,
  dataset varchar not null,
  timeframe varchar not null,
  gap_start timestamp not null,
  gap_end timestamp not null,
  status varchar not null,
  attempts integer not null,
  first_seen_at timestamp not null,
  closed_at timestamp,
  rounds integer,
  asked_at timestamp,
  evidence varchar
)
