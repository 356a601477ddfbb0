INSERT INTO config_revisions (environment, at, author, reason, restores, settings, outcome) VALUES
    ('shop', '2026-01-02 03:04:00Z', 'config/dev.yaml', 'found in the cluster', 0, '{"N": "0"}', 'written'),
    ('shop', '2026-01-02 03:05:00Z', 'ada', 'more of it', 0, '{"N": "1", "M": "ä"}', 'written'),
    ('shop', '2026-01-02 03:06:00Z', 'ada', 'back', 1, '{"N": "0"}', 'begun');
