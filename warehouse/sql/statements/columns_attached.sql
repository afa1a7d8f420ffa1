-- Every column of every table of the attached file, by its full name.
select schema_name || '.' || table_name || '.' || column_name
from duckdb_columns()
where database_name = 'snapshot'
