-- What each venue says an asset is worth now, and whether the venues agree.
--
-- key: asset, venue
-- asset            | the asset that is priced                                                  | not null
-- venue            | exchange, by its ccxt id                                                  | not null
-- price_quote      | median close of its markets, in their quote                               | > 0
-- price_usd        | the same in US dollars                                                    | > 0
-- price_at         | instant of that close, UTC                                                | not null
-- median_usd       | median price over the venues                                              | > 0
-- deviation        | distance from that median, as a fraction of it                            | >= 0
-- deviation_limit  | distance up to which a venue agrees                                       | > 0
-- is_agreeing      | true: this venue lies within the limit                                    | not null
-- venues           | number of venues that are up to date                                      | >= 1
-- agreeing         | number of these that agree                                                | >= 0
-- has_quorum       | true: more than half of them agree (of two both); one alone contradicts nobody | not null
with per_venue as (
  select
    asset,
    venue,
    median(price_quote) as price_quote,
    median(price_usd) as price_usd,
    max(price_at) as price_at
  from mart.latest_prices
  where price_usd is not null
  group by asset, venue
),
-- A venue that lags behind the others says nothing about now.
present as (
  select per_venue.*, limits.*
  from per_venue
  cross join mart.agreement_limits as limits
  qualify price_at >= max(price_at) over (partition by asset) - to_seconds(max_lag_seconds)
),
measured as (
  select *, median(price_usd) over (partition by asset) as median_usd, count(*) over (partition by asset) as venues
  from present
),
deviating as (
  select *, abs(price_usd / median_usd - 1) as deviation
  from measured
),
-- A venue agrees when it lies within the limit around the median of all venues that are up to date; what the
-- limits mean is told in mart.agreement_limits.
limited as (
  select *,
    case
      when venues = 2 then two_venues
      else least(greatest(floor, mads * median(deviation) over (partition by asset)), ceiling)
    end as deviation_limit
  from deviating
),
counted as (
  select *,
    deviation <= deviation_limit as is_agreeing,
    count(*) filter (where deviation <= deviation_limit) over (partition by asset) as agreeing
  from limited
)
select
  asset,
  venue,
  price_quote,
  price_usd,
  price_at,
  median_usd,
  deviation,
  deviation_limit,
  is_agreeing,
  venues,
  agreeing,
  venues = 1 or agreeing * 2 > venues as has_quorum
from counted
