-- What others signed before this site, so that nobody can take it back: the versions of each study's protocol, the
-- states of the coordinator's log, and what the coordinator signed of this site's ledger. Rows are only added.

CREATE TABLE protocols_seen (
    study_id   TEXT NOT NULL,              -- the study
    version    INTEGER NOT NULL,           -- version of its protocol, from 1
    protocol   BLOB NOT NULL,              -- its digest
    seen_at_ms INTEGER NOT NULL,           -- when it first came, ms since 1970 UTC
    PRIMARY KEY (study_id, version)
) STRICT;

INSERT INTO protocols_seen (study_id, version, protocol, seen_at_ms)
SELECT json_extract(dispatch, '$.study'), json_extract(dispatch, '$.protocol_version'),
       unhex(json_extract(dispatch, '$.protocol')), MIN(offered_at_ms)
FROM jobs GROUP BY 1, 2;

CREATE TABLE log_states (
    sequence    INTEGER PRIMARY KEY,       -- in the order in which they were shown
    log         BLOB NOT NULL,             -- which log: fingerprint of the consortium's root
    entries     INTEGER NOT NULL,          -- its entries
    root        BLOB NOT NULL,             -- root of the tree over them
    endorsement TEXT NOT NULL,             -- the coordinator's signature with its certificate, JSON
    seen_at_ms  INTEGER NOT NULL           -- when it was shown, ms since 1970 UTC
) STRICT;

CREATE INDEX log_states_by_state ON log_states (entries, root);

CREATE TABLE countersigned_marks (
    sequence    INTEGER PRIMARY KEY,       -- in the order in which they were shown
    entries     INTEGER NOT NULL,          -- entries of this site's ledger
    head        BLOB NOT NULL,             -- hash of the last entry of its journal then
    endorsement TEXT NOT NULL,             -- the coordinator's signature with its certificate, JSON
    seen_at_ms  INTEGER NOT NULL           -- when it was shown, ms since 1970 UTC
) STRICT;

CREATE INDEX countersigned_marks_by_entries ON countersigned_marks (entries);

CREATE TRIGGER protocols_seen_stay BEFORE UPDATE ON protocols_seen
BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
CREATE TRIGGER protocols_seen_last BEFORE DELETE ON protocols_seen
BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
CREATE TRIGGER log_states_stay BEFORE UPDATE ON log_states
BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
CREATE TRIGGER log_states_last BEFORE DELETE ON log_states
BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
CREATE TRIGGER countersigned_marks_stay BEFORE UPDATE ON countersigned_marks
BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
CREATE TRIGGER countersigned_marks_last BEFORE DELETE ON countersigned_marks
BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
