-- Daily time-weighted return of each portfolio and of each of its sleeves, cash flows excluded, funding apart.
--
-- key: portfolio, as_of_date, sleeve
-- portfolio         | the portfolio's name in the configuration                                      | not null
-- as_of_date        | date of the instant 00:00 UTC at which the day ends                            | not null
-- sleeve            | total: the whole portfolio; else the sleeve                                    | not null
-- opening_usd       | value at the beginning of the day, of what has a price at both its ends        | finite
-- flows_usd         | deposits less withdrawals of the day; of a sleeve null: moves between sleeves are no return of either | finite or null
-- price_usd         | gain by prices                                                                 | finite
-- funding_usd       | funding received less paid                                                     | finite
-- other_usd         | fees, income, and what a new statement changed beyond prices and flows         | finite or null
-- unexplained_usd   | such a change above 2 % of the value: taken as an unrecorded flow, in no return | finite or null
-- closing_usd       | value at the end of the day                                                    | finite or null
-- simple_return     | gain over opening value plus time-weighted flows; null without capital         | finite or null
-- funding_return    | the part of simple_return that is funding                                      | finite or null
-- cumulative_return | all days linked since the first                                                | finite or null
-- method            | true_time_weighted; modified_dietz: a flow between two valuations counts from its hour | not null
-- is_complete       | every position had a price, and no change is unexplained                       | not null
with sides as (
  select
    portfolio, as_of_date + 1 as as_of_date, sleeve,
    coalesce(sum(value_usd) filter (where next_value_usd is not null), 0) as opening_usd,
    coalesce(sum(next_value_usd - value_usd), 0) as price_usd,
    count(*) = count(value_usd + next_value_usd) as is_complete
  from mart.position_values
  where as_of_date < (select max(as_of_date) from mart.position_values)
  group by portfolio, as_of_date, sleeve
),
funding as (
  select portfolio, as_of_date, sleeve, sum(funding_usd) as funding_usd
  from mart.position_funding
  group by portfolio, as_of_date, sleeve
),
sleeves as (
  select
    sides.portfolio, sides.as_of_date, sides.sleeve, sides.opening_usd, sides.price_usd, sides.is_complete,
    coalesce(funding.funding_usd, 0) as funding_usd
  from sides
  left join funding
    on funding.portfolio = sides.portfolio and funding.as_of_date = sides.as_of_date and funding.sleeve = sides.sleeve
),
coins as (
  select as_of_date, asset, price_usd
  from mart.spot_prices
  where price_usd is not null and asset not in (from mart.stablecoin_assets)
  union all
  select as_of_date, asset, price_usd
  from mart.stablecoin_prices
),
dated_flows as (
  select *, cast(ceil(epoch(happened_at) / 86400) * interval 1 day + timestamp '1970-01-01' as date) as as_of_date
  from mart.cash_flows
),
valued_flows as (
  select
    flows.portfolio, flows.as_of_date, flows.kind in ('deposit', 'withdrawal') as is_external,
    flows.quantity * case when flows.asset = 'USD' then 1.0 else coins.price_usd end as held_usd,
    coalesce(flows.value_usd, flows.quantity * case when flows.asset = 'USD' then 1.0 else coins.price_usd end)
      as value_usd,
    epoch(cast(flows.as_of_date as timestamp) - flows.happened_at) / 86400 as share_of_day
  from dated_flows as flows
  asof left join coins
    on coins.asset = flows.asset and flows.as_of_date >= coins.as_of_date
),
flows as (
  select
    portfolio, as_of_date, coalesce(sum(held_usd), 0) as held_usd,
    coalesce(sum(value_usd) filter (where is_external), 0) as flows_usd,
    coalesce(sum(value_usd) filter (where not is_external), 0) as internal_usd,
    coalesce(sum(value_usd * share_of_day) filter (where is_external), 0) as weighted_usd,
    bool_or(is_external and share_of_day > 0) as is_within
  from valued_flows
  group by portfolio, as_of_date
),
whole as (
  select
    sleeves.portfolio, sleeves.as_of_date, sum(opening_usd) as opening_usd, sum(price_usd) as price_usd,
    sum(sleeves.funding_usd) as funding_usd, bool_and(sleeves.is_complete) as is_complete
  from sleeves
  group by sleeves.portfolio, sleeves.as_of_date
),
balanced as (
  select
    whole.portfolio, whole.as_of_date, whole.price_usd, whole.funding_usd, whole.is_complete and closing.is_complete
      as is_complete,
    whole.opening_usd + opening.funding_usd as opening_usd,
    closing.nav_usd as closing_usd,
    coalesce(flows.flows_usd, 0) as flows_usd,
    coalesce(flows.internal_usd, 0) as internal_usd,
    coalesce(flows.weighted_usd, 0) as weighted_usd,
    coalesce(flows.is_within, false) as is_within,
    -- What the flows' own prices moved until the end of the day.
    coalesce(flows.held_usd - flows.flows_usd - flows.internal_usd, 0) as flow_price_usd,
    closing.nav_usd - (whole.opening_usd + opening.funding_usd + whole.price_usd + whole.funding_usd)
      - coalesce(flows.held_usd, 0) as changed_usd
  from whole
  inner join mart.nav as opening
    on opening.portfolio = whole.portfolio and opening.as_of_date = whole.as_of_date - 1
  inner join mart.nav as closing
    on closing.portfolio = whole.portfolio and closing.as_of_date = whole.as_of_date
  left join flows on flows.portfolio = whole.portfolio and flows.as_of_date = whole.as_of_date
),
-- No trading costs two percent of everything in a day: beyond that somebody forgot to record a flow.
judged as (
  select *, abs(changed_usd) > 0.02 * abs(closing_usd) as is_unexplained
  from balanced
),
said as (
  select
    portfolio, as_of_date, 'total' as sleeve, opening_usd, flows_usd,
    price_usd + flow_price_usd as price_usd,
    funding_usd,
    internal_usd + case when is_unexplained then 0 else changed_usd end as other_usd,
    case when is_unexplained then changed_usd end as unexplained_usd,
    closing_usd,
    opening_usd + weighted_usd as capital_usd,
    case when is_within then 'modified_dietz' else 'true_time_weighted' end as method,
    is_complete and not is_unexplained as is_complete
  from judged
  union all
  select
    portfolio, as_of_date, sleeve, opening_usd, null, price_usd, funding_usd, null, null, null, opening_usd,
    'true_time_weighted', is_complete
  from sleeves
)
select
  portfolio, as_of_date, sleeve, opening_usd, flows_usd, price_usd, funding_usd, other_usd, unexplained_usd, closing_usd,
  case when capital_usd > 0 then (price_usd + funding_usd + coalesce(other_usd, 0)) / capital_usd end as simple_return,
  case when capital_usd > 0 then funding_usd / capital_usd end as funding_return,
  product(case when capital_usd > 0 then 1 + (price_usd + funding_usd + coalesce(other_usd, 0)) / capital_usd else 1 end)
    over (partition by portfolio, sleeve order by as_of_date) - 1 as cumulative_return,
  method,
  is_complete
from said
