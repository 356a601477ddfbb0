-- Who wrote: one row for each container of a pod, named by its lines.
CREATE TABLE log_sources (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment text NOT NULL,
    service     text NOT NULL,
    pod         text NOT NULL,
    container   text NOT NULL,
    UNIQUE (environment, service, pod, container)
);

-- How far the log of each container was read: written in one transaction with
-- the lines, so that each is stored once.
CREATE TABLE log_cursors (
    environment text NOT NULL,
    pod_uid     text NOT NULL,
    container   text NOT NULL,
    position    bytea NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (environment, pod_uid, container)
);

-- One replica collects. The epoch grows with each change of it: what one of
-- before still wants to write is refused.
CREATE TABLE log_collectors (
    environment text PRIMARY KEY,
    epoch       bigint NOT NULL
);

-- The lines are in tables named log_lines_<number>, which the api makes and
-- drops. One of each environment is open; the others are sealed.
CREATE TABLE log_partitions (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment text NOT NULL,
    first_id    bigint NOT NULL,
    last_id     bigint NOT NULL,
    first_at    timestamptz NOT NULL, -- the earliest and the latest time of a
    last_at     timestamptz NOT NULL, -- line: late ones may be out of order
    lines       bigint NOT NULL,
    bytes       bigint NOT NULL, -- of text while it is open, then on disk
    opened_at   timestamptz NOT NULL DEFAULT now(),
    sealed_at   timestamptz,
    indexed     boolean NOT NULL DEFAULT false
);
CREATE INDEX log_partitions_by_time ON log_partitions (environment, last_at);
CREATE UNIQUE INDEX log_partitions_open ON log_partitions (environment) WHERE sealed_at IS NULL;

-- Lines by minute, container and level: the histogram, and which partitions a
-- search can leave out. The levels are 0 none, 1 debug, 2 info, 3 warning,
-- 4 error, 5 lines that were skipped.
CREATE TABLE log_counts (
    partition bigint NOT NULL REFERENCES log_partitions ON DELETE CASCADE,
    minute    timestamptz NOT NULL,
    source    integer NOT NULL,
    level     smallint NOT NULL,
    lines     bigint NOT NULL,
    PRIMARY KEY (partition, minute, source, level)
);

-- Without it searches read every line. A server that lacks it, or does not
-- allow it, serves the rest.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE NOTICE 'pg_trgm is not there: searching logs reads every line';
END
$$;
