-- Cases whose file made its box try what nothing honest does are few, and are looked for after every run.
CREATE INDEX checkpoints_forbidden ON checkpoints (round_id)
    WHERE json_extract(outcome, '$.outcome') = 'forbidden';
