-- The settings that an environment had, as they were changed by the api or were
-- found when it did so. A row is there before the cluster is changed: outcome is
-- "begun" until the cluster was seen to have it ("written"), or has refused it.
CREATE TABLE config_revisions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    author      text NOT NULL,
    reason      text NOT NULL,
    restores    bigint NOT NULL, -- the revision that this one goes back to, or 0
    settings    jsonb NOT NULL,
    outcome     text NOT NULL
);
CREATE INDEX config_revisions_by_environment ON config_revisions (environment, id);
