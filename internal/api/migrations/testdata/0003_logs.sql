-- Two sealed tables of 100 lines, of which one has its index, and an open one.
INSERT INTO log_sources (environment, service, pod, container) VALUES ('shop', 'api', 'api-1', 'main'), ('shop', 'web', 'web-1', 'main');
INSERT INTO log_collectors (environment, epoch) VALUES ('shop', 7);
INSERT INTO log_cursors (environment, pod_uid, container, position) VALUES ('shop', 'uid-1', 'main', '\x0100000000bca17f26cb8618');

CREATE FUNCTION make_lines(part bigint, low bigint, high bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE log_lines_%1$s (id bigint NOT NULL, at timestamptz NOT NULL, source integer NOT NULL, message_bytes integer, skipped integer,
            level smallint NOT NULL, text text NOT NULL, styles text);
        CREATE INDEX log_lines_%1$s_at ON log_lines_%1$s (at);
        CREATE INDEX log_lines_%1$s_source ON log_lines_%1$s (source, at);
        CREATE INDEX log_lines_%1$s_level ON log_lines_%1$s (at) WHERE level >= 3', part);
    EXECUTE format($lines$INSERT INTO log_lines_%1$s
        SELECT n, timestamptz '2026-01-02 03:04:00Z' + n * interval '1 second', CASE WHEN n %% 10 IN (3, 4) THEN 2 ELSE 1 END,
            CASE WHEN n = 150 OR n %% 100 = 7 OR n %% 10 = 4 THEN NULL WHEN n %% 10 = 3 THEN 11 ELSE octet_length('request ' || n || ' done') END,
            CASE WHEN n = 150 THEN 12 END,
            CASE WHEN n = 150 THEN 5 WHEN n %% 100 = 7 THEN 4 WHEN n %% 10 = 3 THEN 3 WHEN n %% 10 = 4 THEN 0 ELSE 2 END,
            CASE WHEN n = 150 THEN '' WHEN n %% 100 = 7 THEN 'panic: Größe ' || n || E'\n\tat somewhere' WHEN n %% 10 = 3 THEN 'slow answer ms=' || n
                WHEN n %% 10 = 4 THEN 'plain ' || n ELSE 'request ' || n || ' done path="/a b" status=200' END,
            CASE WHEN n %% 10 = 4 THEN '0:32 5:0' END
        FROM generate_series(%2$s::bigint, %3$s) AS n$lines$, part, low, high);
    EXECUTE format('INSERT INTO log_counts (partition, minute, source, level, lines)
        SELECT %1$s, date_trunc(''minute'', at), source, level, sum(coalesce(skipped, 1)) FROM log_lines_%1$s GROUP BY 2, 3, 4', part);
END $$;
INSERT INTO log_partitions (environment, first_id, last_id, first_at, last_at, lines, bytes, opened_at, sealed_at, indexed) VALUES
    ('shop', 1, 100, '2026-01-02 03:04:01Z', '2026-01-02 03:05:40Z', 100, 3400, '2026-01-02 03:04:01Z', '2026-01-02 03:05:40Z', true),
    ('shop', 101, 200, '2026-01-02 03:05:41Z', '2026-01-02 03:07:20Z', 100, 3400, '2026-01-02 03:05:41Z', '2026-01-02 03:07:20Z', false),
    ('shop', 201, 230, '2026-01-02 03:07:21Z', '2026-01-02 03:07:50Z', 30, 1000, '2026-01-02 03:07:21Z', NULL, false);
SELECT make_lines(1, 1, 100), make_lines(2, 101, 200), make_lines(3, 201, 230);
DROP FUNCTION make_lines;
DO $$
BEGIN
    CREATE INDEX log_lines_1_text ON log_lines_1 USING gin (text gin_trgm_ops);
EXCEPTION WHEN undefined_object THEN
    RAISE NOTICE 'the server has no pg_trgm';
END $$;
