-- Close an open recommendation because a newer one takes its place.
update mart.recommendations
set status = 'superseded'
where recommendation_id = $recommendation_id and status in ('proposed', 'hold')
