-- The transparency log: what a report rests on, in the order in which it happened. It only grows.
CREATE TABLE log_entries (
    place     INTEGER PRIMARY KEY,         -- counted from 0 without gaps
    entry_key BLOB NOT NULL UNIQUE,        -- SHA-256 of what makes the entry one of its kind
    entry     BLOB NOT NULL                -- canonical JSON: a leaf of the Merkle tree
) STRICT;

-- How many entries there are. One row.
CREATE TABLE log_head (
    one     INTEGER PRIMARY KEY CHECK (one = 1), -- always 1
    entries INTEGER NOT NULL               -- of the log
) STRICT;
INSERT INTO log_head (one, entries) VALUES (1, 0);

-- The latest state of the log that each site followed and signed.
CREATE TABLE log_cosignatures (
    site_id     TEXT PRIMARY KEY REFERENCES sites (site_id), -- the site
    log         BLOB NOT NULL,             -- fingerprint of the consortium's root
    entries     INTEGER NOT NULL,          -- of the log then; only rises
    root        BLOB NOT NULL,             -- of the Merkle tree over them
    endorsement TEXT NOT NULL              -- the site's certificate and signature, JSON
) STRICT;
