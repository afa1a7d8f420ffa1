-- Each imported position by the line it belongs to: a short perpetual and the coins it hedges are one carry line.
--
-- key: portfolio, statement_id, venue, account, kind, asset, market_id, sleeve
-- portfolio    | the portfolio's name in the configuration                         | not null
-- statement_id | the statement, as in core.positions                               | not null
-- venue        | exchange, bank or protocol; empty when not said                   | not null
-- account      | account at the venue; empty when not said                         | not null
-- kind         | spot, perp, future, option, lending, staking or bank              | not null
-- asset        | what is held, upper case                                          | not null
-- market_id    | the venue's own market id of a derivative; empty when not said    | not null
-- sleeve       | spot, cash, carry, basis, yield, staking, options; perp or future: unpaired | not null
-- quantity     | the part of the position's quantity that belongs to the line; parts add up to the whole | not null
-- known_at     | when the statement was imported, UTC                              | not null
-- load_id      | the load that brought it                                          | not null
create table core.position_legs (
  portfolio varchar not null,
  statement_id varchar not null,
  venue varchar not null,
  account varchar not null,
  kind varchar not null,
  asset varchar not null,
  market_id varchar not null,
  sleeve varchar not null,
  quantity double not null,
  known_at timestamp not null,
  load_id bigint not null
)
