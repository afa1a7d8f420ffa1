-- The batch is done with.
drop view if exists staged
