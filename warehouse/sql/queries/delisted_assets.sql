-- Which coins does no followed venue trade any more, although one did?
with gone as (
  select source as venue, market_id, any_value(message) as message
  from ops.series
  where dataset = 'candles' and market_type = 'spot' and status = 'delisted' and checked_at <= $as_of
  group by source, market_id
)
select
  markets.base as asset,
  array_agg(distinct markets.venue order by markets.venue) as venues
from core.instruments as markets
left join gone on gone.venue = markets.venue and gone.market_id = markets.market_id
where markets.market_type = 'spot'
  and list_contains($assets, markets.base)
  and list_contains($venues, markets.venue)
group by markets.base
having not bool_or(markets.is_active and gone.market_id is null)
order by markets.base
