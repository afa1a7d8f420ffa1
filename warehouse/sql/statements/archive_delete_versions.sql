-- Archived versions leave their table.
delete from {source} as held
using archivable
where {match} and held.known_at = archivable.known_at and held.load_id = archivable.load_id
