-- The state in which each service was seen last. Several replicas of the api
-- observe the same services: the row lock makes one of them record a change,
-- and observed_at keeps one that lags behind from recording it backwards.
CREATE TABLE service_health (
    service     text PRIMARY KEY,
    state       text NOT NULL,
    reason      text NOT NULL,
    message     text NOT NULL,
    build       text NOT NULL,
    observed_at timestamptz NOT NULL
);

-- One row for each time that a service changed its state, the reason of it,
-- or the build that it runs.
CREATE TABLE service_health_events (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL,
    state   text NOT NULL,
    reason  text NOT NULL,
    message text NOT NULL,
    build   text NOT NULL,
    at      timestamptz NOT NULL
);

CREATE INDEX service_health_events_by_service ON service_health_events (service, id);
CREATE INDEX service_health_events_by_time ON service_health_events (at);
