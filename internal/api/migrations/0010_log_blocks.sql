-- breaks: an api of before does not find the lines that are in blocks.
-- A sealed table of lines is packed into at most 32 blocks, and dropped. blocks is
-- how many there are, 0 where the lines are in their table still; grams says which of
-- them may have a text: for each slot 4 bytes, a bit for each block.
ALTER TABLE log_partitions DROP COLUMN indexed, ADD COLUMN blocks integer NOT NULL DEFAULT 0, ADD COLUMN grams bytea;
ALTER TABLE log_partitions ALTER COLUMN grams SET STORAGE EXTERNAL; -- few bytes are read at a time

CREATE TABLE log_blocks (
    partition bigint NOT NULL REFERENCES log_partitions ON DELETE CASCADE,
    nth       integer NOT NULL,     -- in the order of time
    first_at  timestamptz NOT NULL, -- of the first line
    first_id  bigint NOT NULL,
    last_at   timestamptz NOT NULL, -- of the last one
    last_id   bigint NOT NULL,
    lowest    bigint NOT NULL,      -- the lowest and the highest id: late lines may
    highest   bigint NOT NULL,      -- be out of order
    levels    integer NOT NULL,     -- a bit for each
    sources   integer[] NOT NULL,
    body      bytea NOT NULL,
    PRIMARY KEY (partition, nth)
);
ALTER TABLE log_blocks ALTER COLUMN body SET STORAGE EXTERNAL; -- it is compressed
