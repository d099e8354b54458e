-- Who was in each release and which cells were shown, so that the next one can be held against it; who
-- let a job run; and how many entries the ledger ever had.

ALTER TABLE vetted ADD COLUMN footprint BLOB;                       -- members under this site's keys, and cells shown; NULL where no cohort was opened
ALTER TABLE vetted ADD COLUMN rho_micro INTEGER NOT NULL DEFAULT 0; -- what it would cost, in 10^-6 zCDP
ALTER TABLE vetted ADD COLUMN beside INTEGER;                       -- earlier answers about opened cohorts it was held against; NULL without aggregates
ALTER TABLE ledger ADD COLUMN footprint BLOB;                       -- the same, of what was committed
ALTER TABLE ledger ADD COLUMN rho_micro INTEGER NOT NULL DEFAULT 0; -- what it cost, in 10^-6 zCDP
ALTER TABLE jobs ADD COLUMN run_by TEXT;                            -- who let it run: a steward's name, or the policy

-- What this site signed of its ledger, as others showed it: one row.
CREATE TABLE ledger_counter (
    one          INTEGER PRIMARY KEY       -- always 1, so that there is one row
                 CHECK (one = 1),
    forgotten    INTEGER NOT NULL,         -- entries that a restored backup lacks, as a steward accepted
    seen_entries INTEGER NOT NULL,         -- entries of a mark that this journal does not hold; 0 for none
    seen_head    BLOB,                     -- its head
    accepted     BLOB                      -- head of the last mark that a steward accepted
) STRICT;

INSERT INTO ledger_counter (one, forgotten, seen_entries) VALUES (1, 0, 0);
