-- Passwords of people who use the pages and sign reports.
CREATE TABLE credentials (
    name            TEXT PRIMARY KEY REFERENCES operators (name) ON DELETE CASCADE, -- the person
    password_hash   TEXT NOT NULL,         -- Argon2id, PHC form
    is_issued       INTEGER NOT NULL,      -- 1 while an operator's choice stands: it opens only its replacement
    tries           INTEGER NOT NULL,      -- in the window that began with the first
    first_try_at_ms INTEGER NOT NULL       -- of that window; 0 where none was counted
) STRICT;

-- What opens the pages for a while: to a person who logged in, or to whoever has the link to a study.
CREATE TABLE passes (
    secret_hash   BLOB PRIMARY KEY,        -- SHA-256 of the secret, which is stored nowhere
    name          TEXT REFERENCES operators (name) ON DELETE CASCADE, -- the person; null for a link
    study_id      TEXT REFERENCES studies (study_id), -- of a link; null for a person
    expires_at_ms INTEGER NOT NULL,        -- first moment it no longer works
    CHECK ((name IS NULL) <> (study_id IS NULL))
) STRICT;

-- What people signed under reports. No row is ever changed or removed.
CREATE TABLE electronic_signatures (
    round_id     TEXT NOT NULL REFERENCES rounds (round_id), -- of the report
    report       BLOB NOT NULL,            -- SHA-256 of report.json
    signer       TEXT NOT NULL,            -- the person, who may have left since
    meaning      TEXT NOT NULL,            -- authorship, review, approval or responsibility
    signed_at_ms INTEGER NOT NULL,         -- when
    statement    TEXT NOT NULL,            -- what was signed, JSON
    endorsement  TEXT NOT NULL,            -- the person's certificate and signature, JSON
    PRIMARY KEY (round_id, report, signer, meaning)
) STRICT;
