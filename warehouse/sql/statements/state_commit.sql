-- One more committed transaction.
update ops.master_state
set commit_id = commit_id + 1
returning commit_id
