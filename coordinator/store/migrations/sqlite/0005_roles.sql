-- People have roles: operator, statistician or reviewer.
ALTER TABLE operators ADD COLUMN
    role TEXT NOT NULL DEFAULT 'operator'; -- what the person may do; everybody was an operator before
