INSERT INTO run_events (environment, run, seq, verb, actor, machine, folder, at, type, service, data) VALUES
    ('lab', 'three', 1, 'up', 'eve', 'desk', '/home/eve/lab', '2026-01-02 03:04:30Z', 'service.written', 'web', '{"service": "web", "kind": "Deployment", "written": "2026-01-02T03:04:29Z"}'),
    ('lab', 'three', 2, 'up', 'eve', 'desk', '/home/eve/lab', '2026-01-02 03:05:00Z', 'ready', '', '{"took": 60000000000}');
