-- A person, or the clock, moves a recommendation on.
update mart.recommendations
set status = $status
where recommendation_id = $recommendation_id
