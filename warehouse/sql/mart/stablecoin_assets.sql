-- Assets that are meant to be worth one US dollar: the well-known ones, and all that a source lists as such.
--
-- key: asset
-- asset | the stablecoin, upper case | not null
select unnest([
  'BUSD', 'DAI', 'FDUSD', 'FRAX', 'GUSD', 'LUSD', 'PYUSD', 'SUSD', 'TUSD', 'USDC', 'USDD', 'USDE', 'USDP', 'USDS', 'USDT'
]) as asset
union
select asset
from core.stablecoins
