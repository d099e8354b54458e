-- How many answers each site ever gave, by its own signature: shown to its agent on every connection.
CREATE TABLE ledger_marks (
    site_id   TEXT PRIMARY KEY REFERENCES sites (site_id), -- the site
    entries   INTEGER NOT NULL,            -- of its ledger; only rises
    head      BLOB NOT NULL,               -- hash of the last entry of its journal then
    signature BLOB NOT NULL                -- the site's, 64 bytes
) STRICT;
