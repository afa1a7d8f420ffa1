-- Every version known and loaded by a moment.
select * from {source}
where known_at <= {as_of} and load_id <= {load}
