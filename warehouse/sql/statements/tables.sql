-- Tables of this database; an older file lacks those that were added since.
select schema_name || '.' || table_name as table_name
from duckdb_tables()
where database_name = current_database() and schema_name in ('raw', 'core', 'mart', 'ops')
order by table_name
