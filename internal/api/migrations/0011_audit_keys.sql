-- Each record has a key of its maker's, so that one that is sent again, since the answer
-- was lost, is there once. Records from before have none.
ALTER TABLE audit ADD COLUMN key uuid UNIQUE;
