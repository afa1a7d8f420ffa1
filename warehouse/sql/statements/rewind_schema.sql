-- Where the versions lie in memory.
create schema versions
