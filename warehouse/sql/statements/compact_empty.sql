-- A new table before it takes the old one's rows.
delete from {table}
