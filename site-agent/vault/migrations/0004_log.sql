-- How far this site followed the coordinator's log. One row.
CREATE TABLE log_seen (
    one      INTEGER PRIMARY KEY           -- always 1, so that there is one row
             CHECK (one = 1),
    leaves   INTEGER NOT NULL,             -- entries that were followed
    subtrees BLOB NOT NULL,                -- roots of the full subtrees over them, 32 bytes each
    signed   INTEGER NOT NULL,             -- entries of the last state whose signature was taken
    broken   INTEGER                       -- entries of a log that did not go on from there; NULL where it does
) STRICT;

INSERT INTO log_seen (one, leaves, subtrees, signed) VALUES (1, 0, x'', 0);
