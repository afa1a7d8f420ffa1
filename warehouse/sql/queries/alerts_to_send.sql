-- Which alerts may still have to be sent, oldest first; is one overtaken by newer news, or its advice withdrawn?
-- Newer is what was written later (rowid: rows are only appended), whatever the machine's clock said then.
with decisions as (
  select rowid as place, portfolio, event
  from ops.alerts
  where event in ('recommendation', 'blocked', 'resolved')
)
select
  a.alert_id,
  a.episode_id,
  a.recommendation_id,
  a.portfolio,
  a.event,
  a.title,
  a.body,
  a.send_until,
  a.status,
  -- Who got, or may have got, earlier messages about the same recommendation: a retraction goes to them.
  coalesce(
    (
      select list(distinct d.channel order by d.channel)
      from ops.deliveries as d
      inner join ops.alerts as earlier using (alert_id)
      where earlier.recommendation_id = a.recommendation_id
        and earlier.alert_id <> a.alert_id
        and d.status in ('sent', 'sending', 'ambiguous')
    ),
    []
  ) as told_channels,
  coalesce(r.status in ('superseded', 'rejected', 'retracted', 'expired') and a.event = 'recommendation', false)
  or exists (
    select 1
    from decisions newer
    where newer.portfolio = a.portfolio
      and newer.place > a.rowid
      and (
        (a.event = 'recommendation' and newer.event in ('recommendation', 'blocked'))
        or (a.event = 'blocked' and newer.event in ('recommendation', 'blocked', 'resolved'))
        or (a.event = 'resolved' and newer.event = 'blocked')
      )
  ) as is_overtaken
from ops.alerts a
left join mart.recommendations r on r.recommendation_id = a.recommendation_id
where a.status in ('pending', 'partial')
order by a.rowid
