-- Blocks of the open file: all of them, those that are free, and the size of one in bytes.
select total_blocks, free_blocks, block_size
from pragma_database_size()
where database_name = current_database()
