-- A proposal that nobody answered in time is no longer advice.
update mart.recommendations
set status = 'expired'
where recommendation_id = $recommendation_id and status = 'proposed'
