-- Deposits, withdrawals, fees and income of each portfolio: the newest version of each, without those taken back.
--
-- key: portfolio, flow_id
-- columns: core.cash_flows
select
  portfolio, flow_id, statement_id, happened_at, kind, asset, quantity, value_usd, note, known_at, load_id
from core.cash_flows
qualify
  row_number() over (partition by portfolio, flow_id order by known_at desc, statement_id desc) = 1
  and quantity <> 0
