-- Every version of every weekly report on who holds a future: contracts held by each class of trader.
--
-- key: provider, market_id, period_start
-- time: period_start
-- provider            | who publishes the report, e.g. cftc                                 | not null
-- market_id           | the provider's code of the future, e.g. 133741 (CME bitcoin)        | not null
-- asset               | the coin the future is on                                           | not null
-- period_start        | start of the day at whose close the positions are counted, UTC      | not null
-- open_interest       | contracts outstanding                                               | >= 0
-- dealer_long         | contracts that dealers (banks, swap dealers) are long               | >= 0
-- dealer_short        | contracts that dealers are short                                    | >= 0
-- asset_manager_long  | contracts that asset managers and institutions are long             | >= 0
-- asset_manager_short | contracts that asset managers and institutions are short            | >= 0
-- leveraged_long      | contracts that leveraged funds are long                             | >= 0
-- leveraged_short     | contracts that leveraged funds are short: cash-and-carry sits here  | >= 0
-- other_long          | contracts that other large traders are long                         | >= 0
-- other_short         | contracts that other large traders are short                        | >= 0
-- small_long          | contracts of traders too small to report, long                      | >= 0
-- small_short         | contracts of traders too small to report, short                     | >= 0
-- known_at            | when a reader could first have had this version, UTC                | not null
-- is_reconstructed    | true: known_at is derived from the publication calendar             | not null
-- load_id             | the load that brought this version                                  | not null
create table raw.futures_positioning (
  provider varchar not null,
  market_id varchar not null,
  asset varchar not null,
  period_start timestamp not null,
  open_interest double not null,
  dealer_long double not null,
  dealer_short double not null,
  asset_manager_long double not null,
  asset_manager_short double not null,
  leveraged_long double not null,
  leveraged_short double not null,
  other_long double not null,
  other_short double not null,
  small_long double not null,
  small_short double not null,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null
)
