-- Append-only: a migration that was released is never changed or removed.

-- Secrets of this site that never leave it.
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,                -- what it is for
    value BLOB NOT NULL                    -- 32 random bytes
) STRICT;

-- Studies that were dispatched to this site.
CREATE TABLE jobs (
    round_id              TEXT PRIMARY KEY, -- the round; also the job's id
    dispatch              TEXT NOT NULL,    -- the order, JSON
    protocol              BLOB NOT NULL,    -- canonical bytes of the locked protocol
    state                 TEXT NOT NULL     -- where the job stands
                          CHECK (state IN ('offered', 'approved', 'running', 'awaiting_release',
                                           'released', 'sent', 'cancelled')),
    lease_epoch           INTEGER NOT NULL, -- last lease that the coordinator granted; 0 for none
    note                  TEXT,             -- code of what went wrong, for this site's eyes
    offered_at_ms         INTEGER NOT NULL, -- when it arrived, ms since 1970 UTC
    changed_at_ms         INTEGER NOT NULL  -- when its state last changed
) STRICT;

-- Results of single cases, so that a restart goes on where it was. Never sent.
CREATE TABLE checkpoints (
    round_id   TEXT NOT NULL REFERENCES jobs (round_id), -- the job
    case_index INTEGER NOT NULL,           -- position in the manifest
    outcome    TEXT NOT NULL,              -- score or reason of failure, JSON
    PRIMARY KEY (round_id, case_index)
) STRICT;

-- Vetted results that wait for a steward.
CREATE TABLE vetted (
    round_id     TEXT PRIMARY KEY REFERENCES jobs (round_id), -- the job
    result       BLOB NOT NULL,            -- the exact bytes that would leave
    digest       BLOB NOT NULL,            -- their SHA-256
    decisions    TEXT NOT NULL,            -- what the rules decided, JSON
    bits         INTEGER NOT NULL,         -- upper bound on what the bytes can say
    vetted_at_ms INTEGER NOT NULL          -- when the gate let them through
) STRICT;

-- The ledger: everything this site ever told anyone. Rows are never changed.
CREATE TABLE ledger (
    round_id        TEXT PRIMARY KEY,      -- the round that was answered
    study_id        TEXT NOT NULL,         -- its study
    protocol        BLOB NOT NULL,         -- digest of the protocol
    model           BLOB NOT NULL,         -- digest of the model
    cohort          BLOB,                  -- commitment of the cohort, where one was opened
    outcome         TEXT NOT NULL,         -- released, insufficient, refused or failed
    result          BLOB NOT NULL,         -- the approved bytes
    digest          BLOB NOT NULL,         -- their SHA-256 at approval
    bits            INTEGER NOT NULL,      -- what was charged
    approver        TEXT NOT NULL,         -- who approved: a steward's name, or the policy
    committed_at_ms INTEGER NOT NULL       -- when it became durable
) STRICT;

-- The journal: what happened, each entry holding the hash of the one before.
CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY,          -- counted from 1 without gaps
    entry    TEXT NOT NULL,                -- canonical JSON
    hash     BLOB NOT NULL                 -- SHA-256 of the previous hash and the entry
) STRICT;
