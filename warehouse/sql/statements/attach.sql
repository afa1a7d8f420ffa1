-- A published file beside the database in memory.
attach {path} as snapshot (read_only)
