-- Tables and views of the attached file.
select schema_name || '.' || table_name from duckdb_tables() where database_name = 'snapshot'
union all
select schema_name || '.' || view_name from duckdb_views() where database_name = 'snapshot' and not internal
