INSERT INTO run_events (environment, run, seq, verb, actor, machine, at, type, service, data) VALUES
    ('shop', 'one', 1, 'up', 'ada', 'laptop', '2026-01-02 03:04:00Z', 'step.done', '', '{"step": "apply", "took": 1000000000}'),
    ('shop', 'one', 2, 'up', 'ada', 'laptop', '2026-01-02 03:05:00Z', 'ready', '', '{"took": 60000000000}'),
    ('shop', 'two', 1, 'dev', 'ada', 'laptop', '2026-01-02 03:06:00Z', 'reload', 'web', '{"paths": ["main.go"], "error": "main.go:3:5: undefined: x", "noticed": 0, "built": 0, "sent": 0, "swapped": 0, "healthy": 0}'),
    ('shop', 'two', 2, 'dev', 'ada', 'laptop', '2026-01-02 03:07:00Z', 'reload', 'web', '{"paths": ["main.go"], "noticed": 4000000, "built": 300000000, "sent": 5000000, "swapped": 20000000, "healthy": 171000000}');
