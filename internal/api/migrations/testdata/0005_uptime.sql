INSERT INTO health_periods (environment, service, begun_at, seen_at, state, reason, message) VALUES
    ('shop', 'web', '2026-01-02 03:00:00Z', '2026-01-02 03:06:00Z', 'healthy', '', ''),
    ('shop', 'web', '2026-01-02 03:06:00Z', '2026-01-02 03:08:00Z', 'unhealthy', 'crash', 'it ended with 1'),
    ('shop', 'web', '2026-01-02 03:08:00Z', '2026-01-02 03:10:00Z', 'healthy', '', '');
INSERT INTO health_samples (environment, service, at, bucket)
    SELECT 'shop', 'web', timestamptz '2026-01-02 03:08:00Z' + n * interval '5 seconds', CASE WHEN n = 0 THEN -1 ELSE 150 END FROM generate_series(0, 23) AS n;
INSERT INTO health_latencies (environment, step, at, service, buckets, counts) VALUES
    ('shop', 60, '2026-01-02 03:07:00Z', 'web', '{-1,150}', '{2,10}'),
    ('shop', 3600, '2026-01-02 02:00:00Z', 'web', '{150}', '{720}');
