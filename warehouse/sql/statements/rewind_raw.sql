-- Every version known by the moment the connection stands at.
select {columns} from {source}
where known_at <= getvariable('moment')
