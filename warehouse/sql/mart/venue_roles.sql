-- What each configured venue is for, by the configuration of the newest ingest.
--
-- key: venue
-- venue        | exchange, by its ccxt id                                  | not null
-- is_reference | its prices count                                          | not null
-- is_execution | trades are proposed on its markets                        | not null
create table mart.venue_roles (
  venue varchar not null,
  is_reference boolean not null,
  is_execution boolean not null
)
