INSERT INTO audit (at, actor, action, target, outcome, detail, request_id, key) VALUES
    ('2026-01-02 03:04:00Z', 'ada', 'restartService', 'web', 'done', '', 'r1', '00000000-0000-4000-8000-000000000001'),
    ('2026-01-02 03:05:00Z', '10.0.0.9', 'GET', '/api/v1/logs', 'refused', 'log in first', 'r2', '00000000-0000-4000-8000-000000000002');
INSERT INTO tokens (name, role, hash, created_by, created_at, expires_at) VALUES
    ('prometheus', 'viewer', sha256('secret of a test'), 'ada', '2026-01-02 03:04:00Z', '2100-01-01 00:00:00Z');
