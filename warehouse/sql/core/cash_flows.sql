-- What went into a portfolio and out of it: deposits and withdrawals, and fees and income outside trading; every version as imported.
--
-- key: portfolio, flow_id, statement_id
-- portfolio    | the portfolio's name in the configuration                                   | not null
-- flow_id      | the same flow in every file: from its reference, else from time, kind, asset and note | not null
-- statement_id | the import that brought this version; mart.cash_flows shows the newest      | not null
-- happened_at  | when it happened, UTC                                                       | not null
-- kind         | deposit or withdrawal (external), fee or income (part of performance)       | not null
-- asset        | what was moved, upper case                                                  | not null
-- quantity     | amount in the asset's own unit; withdrawals and fees negative; 0: taken back | finite
-- value_usd    | its value at that moment in US dollars, with the sign of quantity; null: the day's price counts |
-- note         | what it was, in the owner's words                                           | not null
-- known_at     | when it was imported, UTC                                                   | not null
-- load_id      | the load that brought it                                                    | not null
create table core.cash_flows (
  portfolio varchar not null,
  flow_id varchar not null,
  statement_id varchar not null,
  happened_at timestamp not null,
  kind varchar not null,
  asset varchar not null,
  quantity double not null,
  value_usd double,
  note varchar not null,
  known_at timestamp not null,
  load_id bigint not null
)
