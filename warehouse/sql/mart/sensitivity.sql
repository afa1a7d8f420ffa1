-- How the proposed weights move with each input, and what the portfolio moves with, by `trimtab sensitivity`.
--
-- key: run_id, portfolio, kind, name, line
-- run_id       | the run that computed it                                                            | not null
-- portfolio    | the portfolio's name in the configuration                                           | not null
-- as_of        | data time, UTC                                                                      | not null
-- kind         | doubt: one input changed; band: resampled weight; beta; macro: correlation; rolling: the same in the newest window; lead: Granger test; break: day of a lasting change; regime: two of them | not null
-- name         | what was changed and by how much, or the market or series it is measured against    | not null
-- line         | the line that it is about; empty for the whole portfolio                            | not null
-- value        | doubt: turnover of the answer; band: median weight; lead: p-value after Holm; regime: probability of the stormy one; else beta or correlation | finite or null
-- low          | band: 5th percentile; beta, macro: lower end of the 90 % interval; rolling: least of any window | finite or null
-- high         | band: 95th percentile; beta, macro: upper end; rolling: most of any window           | finite or null
-- detail       | weights that moved, the verdict, number of draws or observations                    | not null
-- is_simulated | true: the data come from the simulated market                                       | not null
-- code_version | version of the code that computed it                                                | not null
create table mart.sensitivity (
  run_id varchar not null,
  portfolio varchar not null,
  as_of timestamp not null,
  kind varchar not null,
  name varchar not null,
  line varchar not null,
  value double,
  low double,
  high double,
  detail json not null,
  is_simulated boolean not null,
  code_version varchar not null
)
