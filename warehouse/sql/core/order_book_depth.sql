-- Spread and depth of order books at the moments they were read.
--
-- columns: raw.order_book_depth
create table core.order_book_depth as from raw.order_book_depth with no data
