-- Columns and types of every table and view of this database.
select schema_name || '.' || table_name as table_name, column_name, data_type
from duckdb_columns()
where database_name = current_database() and schema_name in ('raw', 'core', 'mart', 'ops')
order by table_name, column_index
