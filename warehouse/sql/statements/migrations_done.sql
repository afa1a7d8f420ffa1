-- Changes of the schema that this file has been through.
select version
from ops.migrations
