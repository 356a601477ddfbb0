-- The folder of the project on the machine of the run, with which a file that an
-- event names is opened there. Events from before have none.
ALTER TABLE run_events ADD COLUMN folder text NOT NULL DEFAULT '';
