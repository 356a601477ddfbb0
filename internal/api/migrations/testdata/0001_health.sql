INSERT INTO service_health (service, state, reason, message, build, observed_at) VALUES
    ('api', 'healthy', '', '', 'aaaa', '2026-01-02 03:05:00Z'),
    ('web', 'unhealthy', 'crash', 'it ended with 1', 'bbbb', '2026-01-02 03:06:00Z');
INSERT INTO service_health_events (service, state, reason, message, build, at) VALUES
    ('api', 'starting', '', '', 'aaaa', '2026-01-02 03:04:00Z'),
    ('api', 'healthy', '', '', 'aaaa', '2026-01-02 03:05:00Z'),
    ('web', 'unhealthy', 'crash', 'it ended with 1', 'bbbb', '2026-01-02 03:06:00Z');
