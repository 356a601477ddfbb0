-- What runs of zr told, in the order in which it was stored. A run numbers its
-- events: what is told twice is stored once.
CREATE TABLE run_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment text NOT NULL,
    run         text NOT NULL,
    seq         bigint NOT NULL,
    verb        text NOT NULL,
    actor       text NOT NULL, -- who ran it, and on which machine
    machine     text NOT NULL,
    at          timestamptz NOT NULL,
    type        text NOT NULL,
    service     text NOT NULL, -- that it is about; or empty
    data        jsonb NOT NULL,
    UNIQUE (environment, run, seq)
);

CREATE INDEX run_events_by_environment ON run_events (environment, id);
CREATE INDEX run_events_by_type ON run_events (environment, type, at);
CREATE INDEX run_events_by_time ON run_events (at);
