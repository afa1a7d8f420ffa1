-- What a view shows at the moment the connection stands at, computed once for all that is asked there.
create or replace table {name} as {body}
