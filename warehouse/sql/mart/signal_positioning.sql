-- Positioning at CME by the weekly report: who is long and who is short, over all open contracts.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | cme_leveraged_net (hedge funds; -: cash-and-carry), cme_asset_manager_net (institutions; +: they buy, a rise is expected) | not null
-- value      | long less short over open interest, a fraction             | -1 to 1
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with reports as (
  select
    cast(period_start as date) + 1 as as_of_date,
    asset,
    sum(open_interest) as open_interest,
    sum(leveraged_long) - sum(leveraged_short) as leveraged,
    sum(asset_manager_long) - sum(asset_manager_short) as managers,
    max(known_at) as known_at
  from core.futures_positioning
  group by as_of_date, asset
)
select as_of_date, asset, 'cme_leveraged_net' as signal, leveraged / open_interest as value, known_at
from reports
where open_interest > 0
union all
select as_of_date, asset, 'cme_asset_manager_net', managers / open_interest, known_at
from reports
where open_interest > 0
