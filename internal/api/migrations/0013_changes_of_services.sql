-- What runs last did to each service: a save that was live, or a workload that was written.
CREATE INDEX run_events_of_services ON run_events (environment, service, type, id)
    WHERE type IN ('reload', 'service.written') AND coalesce(data->>'error', '') = '';
