-- breaks: an api of before writes the health of a service by its name alone.
-- Services of several environments: the name of the namespace, and empty for the
-- one that the api itself runs in.
ALTER TABLE service_health ADD COLUMN environment text NOT NULL DEFAULT '';
ALTER TABLE service_health DROP CONSTRAINT service_health_pkey, ADD PRIMARY KEY (environment, service);

ALTER TABLE service_health_events ADD COLUMN environment text NOT NULL DEFAULT '';
DROP INDEX service_health_events_by_service;
CREATE INDEX service_health_events_by_service ON service_health_events (environment, service, id);
