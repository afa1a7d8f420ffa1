-- What do the sources say of each protocol: dollars locked, and how often was it or what it is a version of hit?
with protocols as (
  select unnest($protocols) as protocol
),
-- The newest figure of the protocol itself, else what the pools that are followed hold at the least.
locked as (
  select entity as protocol, arg_max(value, period_start) as tvl_usd
  from core.protocol_metrics
  where entity_kind = 'protocol' and metric = 'tvl_usd' and isfinite(value) and period_start >= $oldest
  group by entity
),
pools as (
  select project as protocol, pool, arg_max(tvl_usd, period_start) as tvl_usd
  from core.yield_pools
  where isfinite(tvl_usd) and period_start >= $oldest
  group by project, pool
),
held as (
  select protocol, sum(tvl_usd order by pool) as tvl_usd
  from pools
  group by protocol
),
-- The list gives names ("Aave V3"), the rest slugs ("aave-v3"); one of "Aave" is counted for every version of it.
hits as (
  select lower(replace(trim(entity), ' ', '-')) as name, incident_id, occurred_at
  from core.incidents
),
struck as (
  select protocols.protocol, count(*) as incidents
  from protocols
  inner join hits
    on hits.name = protocols.protocol or regexp_full_match(protocols.protocol, hits.name || '-v[0-9]+')
  group by protocols.protocol
)
select
  protocols.protocol,
  coalesce(locked.tvl_usd, held.tvl_usd) as tvl_usd,
  coalesce(struck.incidents, 0) as incidents,
  (select count(*) from core.incidents) > 0 as is_listed
from protocols
left join locked using (protocol)
left join held using (protocol)
left join struck using (protocol)
order by protocols.protocol
