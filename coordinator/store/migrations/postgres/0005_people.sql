CREATE TABLE credentials (
    name            text COLLATE "C" PRIMARY KEY REFERENCES operators (name) ON DELETE CASCADE,
    password_hash   text NOT NULL,
    is_issued       bigint NOT NULL,
    tries           bigint NOT NULL,
    first_try_at_ms bigint NOT NULL
);
COMMENT ON TABLE credentials IS 'Passwords of people who use the pages and sign reports';
COMMENT ON COLUMN credentials.name IS 'the person';
COMMENT ON COLUMN credentials.password_hash IS 'Argon2id, PHC form';
COMMENT ON COLUMN credentials.is_issued IS '1 while an operator''s choice stands: it opens only its replacement';
COMMENT ON COLUMN credentials.tries IS 'in the window that began with the first';
COMMENT ON COLUMN credentials.first_try_at_ms IS 'of that window; 0 where none was counted';

CREATE TABLE passes (
    secret_hash   bytea PRIMARY KEY,
    name          text COLLATE "C" REFERENCES operators (name) ON DELETE CASCADE,
    study_id      text COLLATE "C" REFERENCES studies (study_id),
    expires_at_ms bigint NOT NULL,
    CHECK ((name IS NULL) <> (study_id IS NULL))
);
COMMENT ON TABLE passes IS 'What opens the pages for a while: to a person who logged in, or to whoever has the link to a study';
COMMENT ON COLUMN passes.secret_hash IS 'SHA-256 of the secret, which is stored nowhere';
COMMENT ON COLUMN passes.name IS 'the person; null for a link';
COMMENT ON COLUMN passes.study_id IS 'of a link; null for a person';
COMMENT ON COLUMN passes.expires_at_ms IS 'first moment it no longer works';

CREATE TABLE electronic_signatures (
    round_id     text COLLATE "C" NOT NULL REFERENCES rounds (round_id),
    report       bytea NOT NULL,
    signer       text COLLATE "C" NOT NULL,
    meaning      text COLLATE "C" NOT NULL,
    signed_at_ms bigint NOT NULL,
    statement    text NOT NULL,
    endorsement  text NOT NULL,
    PRIMARY KEY (round_id, report, signer, meaning)
);
COMMENT ON TABLE electronic_signatures IS 'What people signed under reports. No row is ever changed or removed';
COMMENT ON COLUMN electronic_signatures.round_id IS 'of the report';
COMMENT ON COLUMN electronic_signatures.report IS 'SHA-256 of report.json';
COMMENT ON COLUMN electronic_signatures.signer IS 'the person, who may have left since';
COMMENT ON COLUMN electronic_signatures.meaning IS 'authorship, review, approval or responsibility';
COMMENT ON COLUMN electronic_signatures.signed_at_ms IS 'when';
COMMENT ON COLUMN electronic_signatures.statement IS 'what was signed, JSON';
COMMENT ON COLUMN electronic_signatures.endorsement IS 'the person''s certificate and signature, JSON';
