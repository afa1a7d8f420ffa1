-- Views of this database.
select schema_name || '.' || view_name as view_name
from duckdb_views()
where database_name = current_database() and schema_name in ('raw', 'core', 'mart', 'ops')
