-- Which sleeve parameters did the ingest before store? None of them any more.
delete from mart.sleeve_parameters
