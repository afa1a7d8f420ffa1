-- Funding that a perpetual market settled in each UTC day, as the sum of its settlements, whatever their interval.
--
-- key: as_of_date, venue, market_id
-- as_of_date    | date of the instant 00:00 UTC at which the day ends; a settlement at that instant is its last | not null
-- venue         | exchange, by its ccxt id                                                  | not null
-- market_id     | the venue's own market id                                                 | not null
-- asset         | the asset that is traded                                                  | not null
-- funding_rate  | sum of the day's rates: what a long paid on its notional                  | finite
-- settlements   | number of settlements                                                     | >= 1
-- hours_covered | hours that these settlements stand for; 24 for a whole day                | > 0
select
  cast(ceil(epoch(settled_at) / 86400) * interval 1 day + timestamp '1970-01-01' as date) as as_of_date,
  venue,
  market_id,
  any_value(base) as asset,
  sum(funding_rate) as funding_rate,
  count(*) as settlements,
  sum(interval_hours) as hours_covered
from core.funding_rates
where isfinite(funding_rate)
group by 1, venue, market_id
