-- In which state each service was, from when to when it was seen in it. Time
-- that no row covers is time in which nobody looked.
CREATE TABLE health_periods (
    environment text NOT NULL,
    service     text NOT NULL,
    begun_at    timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL, -- in no index, so that moving it on is cheap
    state       text NOT NULL,
    reason      text NOT NULL,
    message     text NOT NULL,
    PRIMARY KEY (environment, service, begun_at)
) WITH (fillfactor = 80);

-- What each question to a service gave. bucket is that of its latency in the
-- histogram of package uptime, or -1 where it was not answered.
CREATE TABLE health_samples (
    environment text NOT NULL,
    service     text NOT NULL,
    at          timestamptz NOT NULL,
    bucket      smallint NOT NULL,
    PRIMARY KEY (environment, service, at)
);
CREATE INDEX health_samples_by_time ON health_samples (environment, at);

-- The samples of a minute or an hour (step, in seconds): the buckets that have
-- some, and how many. Histograms are merged by adding.
CREATE TABLE health_latencies (
    environment text NOT NULL,
    step        integer NOT NULL,
    at          timestamptz NOT NULL,
    service     text NOT NULL,
    buckets     smallint[] NOT NULL,
    counts      integer[] NOT NULL,
    PRIMARY KEY (environment, step, at, service)
);
CREATE INDEX health_latencies_by_service ON health_latencies (environment, service, step, at);
