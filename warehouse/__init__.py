"""DuckDB: SQL files, connection, publishing."""
