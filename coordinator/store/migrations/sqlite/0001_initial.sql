-- Append-only: a migration that was released is never changed or removed.

-- Sites, the authority on who may call.
CREATE TABLE sites (
    site_id     TEXT PRIMARY KEY,          -- id of the institution
    state       TEXT NOT NULL              -- where it stands
                CHECK (state IN ('invited', 'enrolled', 'revoked')),
    public_key  BLOB UNIQUE,               -- Ed25519 key of its certificate, from enrolment on
    certificate TEXT                       -- its certificate in PEM, from enrolment on
) STRICT;

-- Single-use invitations. The token itself is never stored.
CREATE TABLE invitations (
    token_hash    BLOB PRIMARY KEY,        -- SHA-256 of the token's secret
    site_id       TEXT NOT NULL REFERENCES sites (site_id), -- site it is bound to
    expires_at_ms INTEGER NOT NULL,        -- first moment it no longer works, ms since 1970 UTC
    used_at_ms    INTEGER                  -- when it was redeemed or replaced
) STRICT;

-- People who operate the coordinator.
CREATE TABLE operators (
    name       TEXT PRIMARY KEY,           -- the operator's name
    public_key BLOB NOT NULL UNIQUE        -- Ed25519 key of the operator's certificate
) STRICT;

-- Studies.
CREATE TABLE studies (
    study_id     TEXT PRIMARY KEY,         -- id of the study
    state        TEXT NOT NULL             -- a locked study never changes
                 CHECK (state IN ('draft', 'locked')),
    protocol     BLOB NOT NULL,            -- canonical bytes of the protocol
    endorsements TEXT NOT NULL             -- its signatures, a JSON list; empty while a draft
) STRICT;

-- Rounds of a study.
CREATE TABLE rounds (
    round_id     TEXT PRIMARY KEY,         -- id of the round
    study_id     TEXT NOT NULL REFERENCES studies (study_id), -- its study
    number       INTEGER NOT NULL,         -- counted from 1 within the study
    opened_at_ms INTEGER NOT NULL,         -- when it was opened, ms since 1970 UTC
    closed_at_ms INTEGER,                  -- when it was closed
    UNIQUE (study_id, number)
) STRICT;

-- At most one open round for each study.
CREATE UNIQUE INDEX rounds_one_open ON rounds (study_id) WHERE closed_at_ms IS NULL;

-- Dispatches of a round to sites.
CREATE TABLE dispatches (
    round_id         TEXT NOT NULL REFERENCES rounds (round_id), -- the round
    site_id          TEXT NOT NULL REFERENCES sites (site_id),   -- the site
    dispatch         BLOB NOT NULL,        -- canonical bytes of the signed order
    endorsement      TEXT NOT NULL,        -- the coordinator's signature on it, JSON
    dispatched_at_ms INTEGER NOT NULL,     -- when it was issued, ms since 1970 UTC
    phase            TEXT                  -- last phase the site named
                     CHECK (phase IN ('queued', 'approved', 'downloading', 'evaluating',
                                      'awaiting_release', 'sent')),
    lease_epoch      INTEGER NOT NULL,     -- highest lease epoch granted; 0 before the first
    lease_ends_at_ms INTEGER,              -- when the current lease ends
    PRIMARY KEY (round_id, site_id)
) STRICT;

-- Results: one for each round and site, for good.
CREATE TABLE results (
    round_id       TEXT NOT NULL,          -- the round
    site_id        TEXT NOT NULL,          -- the site
    result         BLOB NOT NULL,          -- canonical bytes
    digest         BLOB NOT NULL,          -- SHA-256 of the bytes
    endorsement    TEXT NOT NULL,          -- the site's signature, JSON
    recorded_at_ms INTEGER NOT NULL,       -- when it was recorded, ms since 1970 UTC
    PRIMARY KEY (round_id, site_id),
    FOREIGN KEY (round_id, site_id) REFERENCES dispatches (round_id, site_id)
) STRICT;
