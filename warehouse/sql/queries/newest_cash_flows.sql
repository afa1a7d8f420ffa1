-- Which cash flows of a portfolio are known, each by its newest version, those taken back too?
select flow_id, statement_id, happened_at, kind, asset, quantity, value_usd, note
from core.cash_flows
where portfolio = $portfolio
qualify row_number() over (partition by flow_id order by known_at desc, statement_id desc) = 1
order by statement_id
