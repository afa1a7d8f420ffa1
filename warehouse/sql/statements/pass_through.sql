-- A table as it stands.
select * from {source}
