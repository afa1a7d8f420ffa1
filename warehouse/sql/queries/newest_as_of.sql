-- Up to which data time has anything been loaded?
select max(as_of) as as_of
from ops.loads
