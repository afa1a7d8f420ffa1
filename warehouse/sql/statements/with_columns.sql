-- A table of an older snapshot with the columns that it does not have yet, empty.
(select *, {columns} from {source})
