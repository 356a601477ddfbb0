-- The file of the project that an attached zr dev was to write a revision into; empty
-- where it was written into the cluster, or was found there.
ALTER TABLE config_revisions ADD COLUMN file text NOT NULL DEFAULT '';
