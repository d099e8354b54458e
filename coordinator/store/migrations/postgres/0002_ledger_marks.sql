CREATE TABLE ledger_marks (
    site_id   text COLLATE "C" PRIMARY KEY REFERENCES sites (site_id),
    entries   bigint NOT NULL,
    head      bytea NOT NULL,
    signature bytea NOT NULL
);
COMMENT ON TABLE ledger_marks IS 'How many answers each site ever gave, by its own signature: shown to its agent on every connection';
COMMENT ON COLUMN ledger_marks.site_id IS 'the site';
COMMENT ON COLUMN ledger_marks.entries IS 'of its ledger; only rises';
COMMENT ON COLUMN ledger_marks.head IS 'hash of the last entry of its journal then';
COMMENT ON COLUMN ledger_marks.signature IS 'the site''s, 64 bytes';
