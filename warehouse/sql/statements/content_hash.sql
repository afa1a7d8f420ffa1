-- Rows of one table and a hash of what they hold that does not depend on their order.
select count(*) as rows, coalesce(bit_xor(hash({columns})), 0) as content
from {table}
