-- Sessions with epochs, invitations that count wrong tries, deadlines, a counter of changes.

-- Sessions: which of a site's connections speaks for it. One row for each site, for good.
CREATE TABLE sessions (
    site_id    TEXT PRIMARY KEY REFERENCES sites (site_id), -- the site
    epoch      INTEGER NOT NULL,           -- of the last session; only rises
    instance   BLOB NOT NULL,              -- random bytes of the process that holds it
    ends_at_ms INTEGER                     -- when it runs out, ms since 1970 UTC; NULL once it was ended
) STRICT;

-- Epochs go on where leases stood.
INSERT INTO sessions (site_id, epoch, instance, ends_at_ms)
SELECT site_id, MAX(lease_epoch), zeroblob(32), NULL FROM dispatches GROUP BY site_id;

-- Single-use invitations, by the public name that their tokens begin with.
CREATE TABLE named_invitations (
    invitation_id BLOB PRIMARY KEY,        -- public name of the token
    site_id       TEXT NOT NULL REFERENCES sites (site_id), -- site it is bound to
    token_hash    BLOB NOT NULL UNIQUE,    -- SHA-256 of the token's secret, which is never stored
    expires_at_ms INTEGER NOT NULL,        -- first moment it no longer works, ms since 1970 UTC
    redeemed_by   BLOB,                    -- Ed25519 key that enrolled with it
    replaced      INTEGER NOT NULL         -- 1 once a later invitation or a revocation took its place
                  CHECK (replaced IN (0, 1) AND (replaced = 0 OR redeemed_by IS NULL)),
    wrong_tries   INTEGER NOT NULL         -- how often a wrong token was tried with its name
) STRICT;

-- Tokens of the first version have no name, so nobody can use them any more.
INSERT INTO named_invitations
    (invitation_id, site_id, token_hash, expires_at_ms, redeemed_by, replaced, wrong_tries)
SELECT substr(token_hash, 1, 8), site_id, token_hash, expires_at_ms, NULL, 1, 0 FROM invitations;

DROP TABLE invitations;
ALTER TABLE named_invitations RENAME TO invitations;

ALTER TABLE rounds ADD COLUMN
    deadline_at_ms INTEGER;                -- when sites that have not answered are overdue

-- What waits for a site is looked for on every change.
CREATE INDEX dispatches_by_site ON dispatches (site_id);

-- A counter that open connections look at: one row.
CREATE TABLE changes (
    one     INTEGER PRIMARY KEY            -- always 1, so that there is one row
            CHECK (one = 1),
    changes INTEGER NOT NULL               -- rises with every dispatch, close and revocation
) STRICT;

INSERT INTO changes (one, changes) VALUES (1, 0);
