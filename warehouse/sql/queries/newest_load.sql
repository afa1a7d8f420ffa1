-- Which load came last?
select max(load_id) as load_id
from ops.loads
