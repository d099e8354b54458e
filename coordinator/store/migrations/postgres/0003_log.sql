CREATE TABLE log_entries (
    place     bigint PRIMARY KEY,
    entry_key bytea NOT NULL UNIQUE,
    entry     bytea NOT NULL
);
COMMENT ON TABLE log_entries IS 'The transparency log: what a report rests on, in the order in which it happened. It only grows';
COMMENT ON COLUMN log_entries.place IS 'counted from 0 without gaps';
COMMENT ON COLUMN log_entries.entry_key IS 'SHA-256 of what makes the entry one of its kind';
COMMENT ON COLUMN log_entries.entry IS 'canonical JSON: a leaf of the Merkle tree';

CREATE TABLE log_head (
    one     integer PRIMARY KEY CHECK (one = 1),
    entries bigint NOT NULL
);
COMMENT ON TABLE log_head IS 'How many entries the log has. One row';
COMMENT ON COLUMN log_head.one IS 'always 1';
COMMENT ON COLUMN log_head.entries IS 'of the log';
INSERT INTO log_head (one, entries) VALUES (1, 0);

CREATE TABLE log_cosignatures (
    site_id     text COLLATE "C" PRIMARY KEY REFERENCES sites (site_id),
    log         bytea NOT NULL,
    entries     bigint NOT NULL,
    root        bytea NOT NULL,
    endorsement text NOT NULL
);
COMMENT ON TABLE log_cosignatures IS 'The latest state of the log that each site followed and signed';
COMMENT ON COLUMN log_cosignatures.site_id IS 'the site';
COMMENT ON COLUMN log_cosignatures.log IS 'fingerprint of the consortium''s root';
COMMENT ON COLUMN log_cosignatures.entries IS 'of the log then; only rises';
COMMENT ON COLUMN log_cosignatures.root IS 'of the Merkle tree over them';
COMMENT ON COLUMN log_cosignatures.endorsement IS 'the site''s certificate and signature, JSON';
