-- A study's protocol has versions: an amendment is a new one.
CREATE TABLE protocols (
    study_id     TEXT NOT NULL REFERENCES studies (study_id), -- the study
    version      INTEGER NOT NULL,         -- number of the version, from 1
    protocol     BLOB NOT NULL,            -- canonical bytes
    endorsements TEXT,                     -- its signatures, a JSON list; null while a draft
    PRIMARY KEY (study_id, version)
) STRICT;

-- At most one draft for each study.
CREATE UNIQUE INDEX protocols_one_draft ON protocols (study_id) WHERE endorsements IS NULL;

INSERT INTO protocols (study_id, version, protocol, endorsements)
SELECT study_id,
       CASE WHEN json_valid(CAST(protocol AS TEXT))
            THEN coalesce(json_extract(CAST(protocol AS TEXT), '$.version'), 1) ELSE 1 END,
       protocol,
       CASE state WHEN 'locked' THEN endorsements END
FROM studies;

ALTER TABLE rounds ADD COLUMN
    protocol_version INTEGER NOT NULL DEFAULT 1; -- version that its sites are asked under
UPDATE rounds SET protocol_version =
    (SELECT version FROM protocols WHERE protocols.study_id = rounds.study_id);

ALTER TABLE studies DROP COLUMN state;
ALTER TABLE studies DROP COLUMN protocol;
ALTER TABLE studies DROP COLUMN endorsements;
