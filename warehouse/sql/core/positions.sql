-- Every imported statement of what a portfolio holds, where and how.
--
-- key: portfolio, statement_id, venue, account, kind, asset, market_id
-- portfolio      | the portfolio's name in the configuration                         | not null
-- statement_id   | the import these rows came with; a statement is never edited      | not null
-- venue          | exchange, bank or protocol; empty when not said                   | not null
-- account        | account at the venue; empty when not said                         | not null
-- kind           | spot, perp, future, option, lending, staking or bank              | not null
-- asset          | what is held, upper case                                          | not null
-- quantity       | amount in the asset's own unit (coins, not contracts); negative: short | finite
-- entry_price    | average price of entry, in quote                                  | > 0 or null
-- margin         | collateral behind a derivative, in quote; 0 or null where it stands in a row of its own | >= 0 or null
-- margin_mode    | cross or isolated; null for what needs no margin                  |
-- leverage       | notional over margin                                              | > 0 or null
-- cost_basis_usd | what the whole position cost, for tax, in US dollars              | >= 0 or null
-- is_immovable   | locked: counted in the value, never traded                        | not null
-- as_of          | the moment the statement describes, UTC                           | not null
-- known_at       | when it was imported, UTC                                         | not null
-- load_id        | the load that brought it                                          | not null
-- market_id      | the venue's own market id of a derivative; empty when not said    | not null
-- quote          | currency of entry_price and margin                                | not null
create table core.positions (
  portfolio varchar not null,
  statement_id varchar not null,
  venue varchar not null,
  account varchar not null,
  kind varchar not null,
  asset varchar not null,
  quantity double not null,
  entry_price double,
  margin double,
  margin_mode varchar,
  leverage double,
  cost_basis_usd double,
  is_immovable boolean not null,
  as_of timestamp not null,
  known_at timestamp not null,
  load_id bigint not null,
  market_id varchar,
  quote varchar
)
