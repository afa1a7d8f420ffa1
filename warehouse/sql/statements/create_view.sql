-- A view of the catalogue.
create or replace view {name} as {body}
