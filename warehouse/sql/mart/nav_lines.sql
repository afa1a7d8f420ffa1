-- Value of each line of each portfolio at the end of each day.
--
-- key: portfolio, as_of_date, sleeve, asset
-- portfolio    | the portfolio's name in the configuration                                       | not null
-- as_of_date   | date of the instant 00:00 UTC                                                   | not null
-- sleeve       | spot, cash, carry, basis, yield, staking, options; perp or future: unpaired     | not null
-- asset        | the asset of the line                                                           | not null
-- value_usd    | capital of the line, in US dollars; null where a leg has no price               | finite or null
-- weight       | value over the value of all lines that have one                                 | finite or null
-- exposure_usd | price exposure of all its legs: about zero for carry and basis; null for options and without a price | finite or null
with lines as (
  select
    portfolio, as_of_date, sleeve, asset,
    case when count(*) = count(value_usd) then sum(value_usd) end as value_usd,
    case when count(*) = count(exposure_usd) and sleeve <> 'options' then sum(exposure_usd) end as exposure_usd
  from mart.position_values
  group by portfolio, as_of_date, sleeve, asset
)
select
  portfolio, as_of_date, sleeve, asset, value_usd,
  value_usd / nullif(sum(value_usd) over (partition by portfolio, as_of_date), 0) as weight,
  exposure_usd
from lines
