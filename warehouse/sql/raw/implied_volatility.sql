-- Every version of every implied volatility: a venue's volatility index by the hour, option chains when read.
--
-- key: venue, market_id, observed_at
-- time: observed_at
-- venue              | exchange, by its ccxt id                                                 | not null
-- market_id          | the option's own id; for an index the coin and the word index            | not null
-- kind               | index or option                                                          | not null
-- base               | the coin                                                                 | not null
-- option_type        | call or put; empty for an index                                          | not null
-- expires_at         | expiry of the option, UTC; null for an index                             |
-- strike             | strike price, in US dollars; null for an index                           | > 0 or null
-- observed_at        | the end of the hour of an index, the moment of reading of an option, UTC | not null
-- implied_volatility | annualised, as a fraction (0.65 is 65 %); of an option its mark volatility | > 0, finite
-- underlying_price   | the forward for the expiry that the venue uses, in US dollars            | > 0 or null
-- mark_price         | the option's mark price, in the currency the venue quotes it in          | >= 0 or null
-- open_interest      | open contracts, as the venue counts them                                 | >= 0 or null
-- delta              | change of value per unit of the underlying (Black 1976, no interest)     | -1 to 1 or null
-- gamma              | change of delta per US dollar of the underlying                          | >= 0 or null
-- vega               | change of value in US dollars per percentage point of volatility         | >= 0 or null
-- theta              | change of value in US dollars per day                                    | <= 0 or null
-- known_at           | when a user of the source could first have had this version, UTC         | not null, >= observed_at
-- is_reconstructed   | true: known_at is derived from the publication lag, not observed         | not null
-- load_id            | the load that brought this version                                       | not null
-- bid_price          | best bid for the option, in the currency of its mark; null where nobody bids or none was read | > 0 or null
-- ask_price          | best ask for the option, likewise                                        | > 0 or null
create table raw.implied_volatility (
  venue varchar not null,
  market_id varchar not null,
  kind varchar not null,
  base varchar not null,
  option_type varchar not null,
  expires_at timestamp,
  strike double,
  observed_at timestamp not null,
  implied_volatility double,
  underlying_price double,
  mark_price double,
  open_interest double,
  delta double,
  gamma double,
  vega double,
  theta double,
  known_at timestamp not null,
  is_reconstructed boolean not null,
  load_id bigint not null,
  bid_price double,
  ask_price double
)
