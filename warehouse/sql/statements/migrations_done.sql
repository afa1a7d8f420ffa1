-- Changes of the schema that this file has been through.
select version, name
from ops.migrations
