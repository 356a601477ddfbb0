-- What was done within a time: by whom a service was changed last.
CREATE INDEX audit_by_time ON audit (at);
