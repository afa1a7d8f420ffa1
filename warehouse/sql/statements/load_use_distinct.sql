-- From here on, the batch without repetitions.
create or replace temp view staged as
select *
from unrepeated
