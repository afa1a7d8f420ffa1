-- What stands for this portfolio now: the open recommendation, what was last announced, the open episode, a snooze?
-- Last is what was written last (rowid: rows are only appended), whatever the machine's clock said then: a clock that
-- was ahead for an hour must not make its news the newest for an hour.
with open_one as (
  select recommendation_id, trades_hash, is_announced, slot
  from mart.recommendations
  where portfolio = $portfolio and status in ('proposed', 'hold')
  order by rowid desc
  limit 1
),
announced as (
  select trades_hash
  from mart.recommendations
  where portfolio = $portfolio and slot = $slot and is_announced
  order by rowid desc
  limit 1
),
episode as (
  select event, episode_id, created_at, body, recommendation_id
  from ops.alerts
  where portfolio = $portfolio and event in ('blocked', 'resolved')
  order by rowid desc
  limit 1
),
blocked as (
  select e.episode_id, r.reason, r.reason_code, r.as_of
  from episode as e
  join mart.recommendations as r using (recommendation_id)
  where e.event = 'blocked'
)
select
  (
    select max(until_at)
    from ops.recommendation_events
    inner join mart.recommendations using (recommendation_id)
    where event = 'snoozed' and portfolio = $portfolio
  ) as snoozed_until,
  (select recommendation_id from open_one) as open_id,
  (select slot from open_one) as open_slot,
  (select trades_hash from announced) as announced_trades,
  (select episode_id from blocked) as episode_id,
  (select reason from blocked) as episode_reason,
  (select reason_code from blocked) as episode_reason_code,
  (select as_of from blocked) as episode_since
