-- Chains and protocols with a token of their own: growth of what is locked, and what users pay, over the token's value.
--
-- key: as_of_date, asset, signal
-- as_of_date | date of the instant 00:00 UTC up to which the signal looks | not null
-- asset      | the coin                                                   | not null
-- signal     | tvl_growth (deflated by the token's price, so that a rise of the price is no growth), fee_yield, revenue_yield; +: more use, a rise is expected | not null
-- value      | tvl_growth: over 30 days, less 1; yields: mean of 30 days, annual, over market capitalisation | finite
-- known_at   | when the newest figure behind it could first have been had, UTC | not null
with tokens (entity_kind, entity, asset) as (
  values
    ('chain', 'Ethereum', 'ETH'), ('chain', 'Solana', 'SOL'), ('chain', 'BSC', 'BNB'), ('chain', 'Tron', 'TRX'),
    ('chain', 'Avalanche', 'AVAX'), ('chain', 'Cardano', 'ADA'), ('chain', 'Sui', 'SUI'), ('chain', 'Near', 'NEAR'),
    ('chain', 'Aptos', 'APT'), ('chain', 'Polkadot', 'DOT'), ('chain', 'Arbitrum', 'ARB'), ('chain', 'Optimism', 'OP'),
    ('protocol', 'aave', 'AAVE'), ('protocol', 'uniswap', 'UNI'), ('protocol', 'lido', 'LDO'),
    ('protocol', 'curve-dex', 'CRV'), ('protocol', 'pancakeswap', 'CAKE'), ('protocol', 'makerdao', 'MKR')
),
figures as (
  select
    cast(figures.period_start as date) + 1 as as_of_date,
    tokens.asset,
    figures.metric,
    figures.value,
    figures.known_at
  from core.protocol_metrics as figures
  inner join tokens using (entity_kind, entity)
  where isfinite(figures.value)
),
locked as (
  select now.as_of_date, now.asset, now.value / before.value as growth, now.known_at
  from figures as now
  inner join figures as before
    on before.asset = now.asset and before.metric = now.metric and before.as_of_date = now.as_of_date - 30
  where now.metric = 'tvl_usd' and before.value > 0
),
means as (
  select *, avg(value) over month as mean_30, count(*) over month as days_30
  from figures
  where metric in ('fees_usd', 'revenue_usd')
  window month as (
    partition by asset, metric order by as_of_date range between interval 29 days preceding and current row
  )
)
select
  locked.as_of_date,
  locked.asset,
  'tvl_growth' as signal,
  locked.growth / (prices.price_usd / before.price_usd) - 1 as value,
  greatest(locked.known_at, prices.known_at) as known_at
from locked
inner join mart.signal_days as prices using (as_of_date, asset)
inner join mart.signal_days as before
  on before.asset = locked.asset and before.as_of_date = locked.as_of_date - 30
union all
select
  means.as_of_date,
  means.asset,
  case means.metric when 'fees_usd' then 'fee_yield' else 'revenue_yield' end,
  means.mean_30 * 365 / caps.value,
  greatest(means.known_at, caps.known_at)
from means
inner join core.onchain_metrics as caps
  on caps.asset = means.asset and caps.metric = 'CapMrktCurUSD'
  and cast(caps.period_start as date) + 1 = means.as_of_date
where means.days_30 >= 25 and isfinite(caps.value) and caps.value > 0
