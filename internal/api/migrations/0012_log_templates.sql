-- The lines of a block without what differs between them, each once and compressed. A
-- block of before, and one of lines that have little in common, has none.
ALTER TABLE log_blocks ADD COLUMN templates bytea;
ALTER TABLE log_blocks ALTER COLUMN templates SET STORAGE EXTERNAL; -- it is compressed
