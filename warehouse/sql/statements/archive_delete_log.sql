-- Archived rows leave their log.
delete from {source}
where {time} < $before
