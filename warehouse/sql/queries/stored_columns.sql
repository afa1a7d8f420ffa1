-- Which columns does each raw table of this snapshot have? One that older code published lacks what is new since.
select table_name, list(column_name order by column_name) as column_names
from duckdb_columns()
where schema_name = 'raw'
group by table_name
