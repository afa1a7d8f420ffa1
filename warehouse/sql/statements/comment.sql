-- What the catalogue says about a table, view or column.
comment on {kind} {name} is {text}
