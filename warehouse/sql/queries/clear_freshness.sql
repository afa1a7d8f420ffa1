-- Forget the ages of the last check; those of the next are written in the same transaction.
delete from ops.freshness
