-- An option chain tells the best bid and ask beside the mark; of chains read before only the mark is known.
alter table raw.implied_volatility add column bid_price double;
alter table raw.implied_volatility add column ask_price double;
alter table core.implied_volatility add column bid_price double;
alter table core.implied_volatility add column ask_price double;
