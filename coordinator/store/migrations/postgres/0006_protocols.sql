-- A study's protocol has versions: an amendment is a new one.
CREATE TABLE protocols (
    study_id     text COLLATE "C" NOT NULL REFERENCES studies (study_id),
    version      bigint NOT NULL,
    protocol     bytea NOT NULL,
    endorsements text,
    PRIMARY KEY (study_id, version)
);
COMMENT ON TABLE protocols IS 'Versions of the protocols of studies';
COMMENT ON COLUMN protocols.study_id IS 'the study';
COMMENT ON COLUMN protocols.version IS 'number of the version, from 1';
COMMENT ON COLUMN protocols.protocol IS 'canonical bytes';
COMMENT ON COLUMN protocols.endorsements IS 'its signatures, a JSON list; null while a draft';

-- At most one draft for each study.
CREATE UNIQUE INDEX protocols_one_draft ON protocols (study_id) WHERE endorsements IS NULL;

-- In canonical form the version is what a protocol ends with.
INSERT INTO protocols (study_id, version, protocol, endorsements)
SELECT study_id,
       coalesce(substring(convert_from(protocol, 'UTF8') from '"version":([0-9]+)}$')::bigint, 1),
       protocol,
       CASE state WHEN 'locked' THEN endorsements END
FROM studies;

ALTER TABLE rounds ADD COLUMN protocol_version bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN rounds.protocol_version IS 'version that its sites are asked under';
UPDATE rounds SET protocol_version =
    (SELECT version FROM protocols WHERE protocols.study_id = rounds.study_id);

ALTER TABLE studies DROP COLUMN state;
ALTER TABLE studies DROP COLUMN protocol;
ALTER TABLE studies DROP COLUMN endorsements;
