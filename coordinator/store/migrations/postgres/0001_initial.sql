-- Append-only: a migration that was released is never changed or removed.
-- Texts sort by their bytes, as SQLite sorts them.

CREATE TABLE sites (
    site_id     text COLLATE "C" PRIMARY KEY,
    state       text NOT NULL CHECK (state IN ('invited', 'enrolled', 'revoked')),
    public_key  bytea UNIQUE,
    certificate text
);
COMMENT ON TABLE sites IS 'Sites, the authority on who may call';
COMMENT ON COLUMN sites.site_id IS 'id of the institution';
COMMENT ON COLUMN sites.state IS 'where it stands';
COMMENT ON COLUMN sites.public_key IS 'Ed25519 key of its certificate, from enrolment on';
COMMENT ON COLUMN sites.certificate IS 'its certificate in PEM, from enrolment on';

CREATE TABLE invitations (
    invitation_id bytea PRIMARY KEY,
    site_id       text COLLATE "C" NOT NULL REFERENCES sites (site_id),
    token_hash    bytea NOT NULL UNIQUE,
    expires_at_ms bigint NOT NULL,
    redeemed_by   bytea,
    replaced      bigint NOT NULL CHECK (replaced IN (0, 1) AND (replaced = 0 OR redeemed_by IS NULL)),
    wrong_tries   bigint NOT NULL
);
COMMENT ON TABLE invitations IS 'Single-use invitations, by the public name that their tokens begin with';
COMMENT ON COLUMN invitations.invitation_id IS 'public name of the token';
COMMENT ON COLUMN invitations.site_id IS 'site it is bound to';
COMMENT ON COLUMN invitations.token_hash IS 'SHA-256 of the token''s secret, which is never stored';
COMMENT ON COLUMN invitations.expires_at_ms IS 'first moment it no longer works, ms since 1970 UTC';
COMMENT ON COLUMN invitations.redeemed_by IS 'Ed25519 key that enrolled with it';
COMMENT ON COLUMN invitations.replaced IS '1 once a later invitation or a revocation took its place';
COMMENT ON COLUMN invitations.wrong_tries IS 'how often a wrong token was tried with its name';

CREATE TABLE operators (
    name       text COLLATE "C" PRIMARY KEY,
    public_key bytea NOT NULL UNIQUE
);
COMMENT ON TABLE operators IS 'People who operate the coordinator';
COMMENT ON COLUMN operators.name IS 'the operator''s name';
COMMENT ON COLUMN operators.public_key IS 'Ed25519 key of the operator''s certificate';

CREATE TABLE sessions (
    site_id    text COLLATE "C" PRIMARY KEY REFERENCES sites (site_id),
    epoch      bigint NOT NULL,
    instance   bytea NOT NULL,
    ends_at_ms bigint
);
COMMENT ON TABLE sessions IS 'Which of a site''s connections speaks for it: one row for each site, for good';
COMMENT ON COLUMN sessions.site_id IS 'the site';
COMMENT ON COLUMN sessions.epoch IS 'of the last session; only rises';
COMMENT ON COLUMN sessions.instance IS 'random bytes of the process that holds it';
COMMENT ON COLUMN sessions.ends_at_ms IS 'when it runs out, ms since 1970 UTC; NULL once it was ended';

CREATE TABLE studies (
    study_id     text COLLATE "C" PRIMARY KEY,
    state        text NOT NULL CHECK (state IN ('draft', 'locked')),
    protocol     bytea NOT NULL,
    endorsements text NOT NULL
);
COMMENT ON TABLE studies IS 'Studies';
COMMENT ON COLUMN studies.study_id IS 'id of the study';
COMMENT ON COLUMN studies.state IS 'a locked study never changes';
COMMENT ON COLUMN studies.protocol IS 'canonical bytes of the protocol';
COMMENT ON COLUMN studies.endorsements IS 'its signatures, a JSON list; empty while a draft';

CREATE TABLE rounds (
    round_id       text COLLATE "C" PRIMARY KEY,
    study_id       text COLLATE "C" NOT NULL REFERENCES studies (study_id),
    number         bigint NOT NULL,
    opened_at_ms   bigint NOT NULL,
    closed_at_ms   bigint,
    deadline_at_ms bigint,
    UNIQUE (study_id, number)
);
COMMENT ON TABLE rounds IS 'Rounds of a study';
COMMENT ON COLUMN rounds.round_id IS 'id of the round';
COMMENT ON COLUMN rounds.study_id IS 'its study';
COMMENT ON COLUMN rounds.number IS 'counted from 1 within the study';
COMMENT ON COLUMN rounds.opened_at_ms IS 'when it was opened, ms since 1970 UTC';
COMMENT ON COLUMN rounds.closed_at_ms IS 'when it was closed, ms since 1970 UTC';
COMMENT ON COLUMN rounds.deadline_at_ms IS 'when sites that have not answered are overdue, ms since 1970 UTC';

-- At most one open round for each study.
CREATE UNIQUE INDEX rounds_one_open ON rounds (study_id) WHERE closed_at_ms IS NULL;

CREATE TABLE dispatches (
    round_id         text COLLATE "C" NOT NULL REFERENCES rounds (round_id),
    site_id          text COLLATE "C" NOT NULL REFERENCES sites (site_id),
    dispatch         bytea NOT NULL,
    endorsement      text NOT NULL,
    dispatched_at_ms bigint NOT NULL,
    phase            text CHECK (phase IN ('queued', 'approved', 'downloading', 'evaluating', 'awaiting_release', 'sent')),
    lease_epoch      bigint NOT NULL,
    lease_ends_at_ms bigint,
    PRIMARY KEY (round_id, site_id)
);
COMMENT ON TABLE dispatches IS 'Dispatches of a round to sites';
COMMENT ON COLUMN dispatches.round_id IS 'the round';
COMMENT ON COLUMN dispatches.site_id IS 'the site';
COMMENT ON COLUMN dispatches.dispatch IS 'canonical bytes of the signed order';
COMMENT ON COLUMN dispatches.endorsement IS 'the coordinator''s signature on it, JSON';
COMMENT ON COLUMN dispatches.dispatched_at_ms IS 'when it was issued, ms since 1970 UTC';
COMMENT ON COLUMN dispatches.phase IS 'last phase the site named';
COMMENT ON COLUMN dispatches.lease_epoch IS 'epoch of the session that last got the lease; 0 before the first';
COMMENT ON COLUMN dispatches.lease_ends_at_ms IS 'when the current lease ends, ms since 1970 UTC';

-- What waits for a site is looked for on every change.
CREATE INDEX dispatches_by_site ON dispatches (site_id);

CREATE TABLE results (
    round_id       text COLLATE "C" NOT NULL,
    site_id        text COLLATE "C" NOT NULL,
    result         bytea NOT NULL,
    digest         bytea NOT NULL,
    endorsement    text NOT NULL,
    recorded_at_ms bigint NOT NULL,
    PRIMARY KEY (round_id, site_id),
    FOREIGN KEY (round_id, site_id) REFERENCES dispatches (round_id, site_id)
);
COMMENT ON TABLE results IS 'Results: one for each round and site, for good';
COMMENT ON COLUMN results.round_id IS 'the round';
COMMENT ON COLUMN results.site_id IS 'the site';
COMMENT ON COLUMN results.result IS 'canonical bytes';
COMMENT ON COLUMN results.digest IS 'SHA-256 of the bytes';
COMMENT ON COLUMN results.endorsement IS 'the site''s signature, JSON';
COMMENT ON COLUMN results.recorded_at_ms IS 'when it was recorded, ms since 1970 UTC';

CREATE TABLE changes (
    one     bigint PRIMARY KEY CHECK (one = 1),
    changes bigint NOT NULL
);
COMMENT ON TABLE changes IS 'A counter that open connections look at: one row';
COMMENT ON COLUMN changes.one IS 'always 1, so that there is one row';
COMMENT ON COLUMN changes.changes IS 'rises with every dispatch, close and revocation';

INSERT INTO changes (one, changes) VALUES (1, 0);
