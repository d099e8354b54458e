//! Studies with the versions of their protocols.

use async_trait::async_trait;
use fedval_core::port::{
    DraftLocked, DraftStored, DraftVersion, Endorsement, LockedVersion, StoreError, StudyRow,
    StudyStore,
};
use fedval_study::StudyId;
use sqlx::Error;

use super::SqlStore;
use super::database::{Row, Transaction};
use super::row::{count, damaged, parsed, to_json};

/// Studies of rows that stand in order of ids and versions.
fn study_rows(rows: &[Row]) -> Result<Vec<StudyRow>, Error> {
    let mut studies: Vec<StudyRow> = Vec::new();
    for row in rows {
        let study: StudyId = parsed(row, "study_id")?;
        if studies.last().is_none_or(|last| last.study != study) {
            studies.push(StudyRow { study, locked: Vec::new(), draft: None });
        }
        let of = studies.last_mut().expect("one was pushed just now");
        let (version, protocol) = (count(row, "version")?, row.get("protocol")?);
        match row.get::<Option<&str>>("endorsements")? {
            None => of.draft = Some(DraftVersion { version, protocol }),
            Some(text) => {
                let endorsements =
                    serde_json::from_str(text).map_err(|_| damaged("endorsements"))?;
                of.locked.push(LockedVersion { version, protocol, endorsements });
            }
        }
    }
    Ok(studies)
}

const LIST: &str = "-- study_list
    SELECT study_id, version, protocol, endorsements FROM protocols ORDER BY study_id, version";

const INSERT: &str = "-- study: a version
    INSERT INTO protocols (study_id, version, protocol, endorsements) VALUES ($1, $2, $3, $4)";

impl Transaction {
    pub(super) async fn study_list(&mut self) -> Result<Vec<StudyRow>, Error> {
        study_rows(&self.rows(LIST, &[]).await?)
    }

    /// A study as a snapshot has it.
    pub(super) async fn study_restore(&mut self, row: &StudyRow) -> Result<(), Error> {
        let study = &row.study;
        self.study_name(study).await?;
        for LockedVersion { version, protocol, endorsements } in &row.locked {
            let endorsements = to_json(endorsements)?;
            self.protocol_insert(study, *version, protocol, Some(&endorsements)).await?;
        }
        if let Some(DraftVersion { version, protocol }) = &row.draft {
            self.protocol_insert(study, *version, protocol, None).await?;
        }
        Ok(())
    }

    async fn study_name(&mut self, study: &StudyId) -> Result<(), Error> {
        let sql = "-- study: its name
            INSERT INTO studies (study_id) VALUES ($1) ON CONFLICT DO NOTHING";
        self.execute(sql, &[study.as_str().into()]).await?;
        Ok(())
    }

    async fn protocol_insert(
        &mut self,
        study: &StudyId,
        version: u32,
        protocol: &[u8],
        endorsements: Option<&str>,
    ) -> Result<(), Error> {
        let version = i64::from(version);
        let values = [study.as_str().into(), version.into(), protocol.into(), endorsements.into()];
        self.execute(INSERT, &values).await?;
        Ok(())
    }

    /// The version in force, which nobody changes until this transaction ends.
    pub(super) async fn version_in_force(&mut self, study: &StudyId) -> Result<Option<u32>, Error> {
        let lock = "-- version_in_force: nobody else locks a version or opens a round
            SELECT 1 FROM studies WHERE study_id = $1 FOR UPDATE";
        self.lock(lock, &[study.as_str().into()]).await?;
        let sql = "-- version_in_force
            SELECT version FROM protocols
            WHERE study_id = $1 AND endorsements IS NOT NULL ORDER BY version DESC LIMIT 1";
        let row = self.row(sql, &[study.as_str().into()]).await?;
        row.map(|row| count(&row, "version")).transpose()
    }

    async fn draft_replace(&mut self, study: &StudyId, draft: &DraftVersion) -> Result<(), Error> {
        let sql = "-- study_put_draft: in place of another
            DELETE FROM protocols WHERE study_id = $1 AND endorsements IS NULL";
        self.execute(sql, &[study.as_str().into()]).await?;
        self.protocol_insert(study, draft.version, &draft.protocol, None).await
    }

    async fn draft_lock(
        &mut self,
        study: &StudyId,
        protocol: &[u8],
        endorsements: &[Endorsement],
    ) -> Result<DraftLocked, Error> {
        self.version_in_force(study).await?;
        let endorsements = to_json(endorsements)?;
        let sql = "-- study_lock
            UPDATE protocols SET endorsements = $3
            WHERE study_id = $1 AND endorsements IS NULL AND protocol = $2";
        let values = [study.as_str().into(), protocol.into(), endorsements.as_str().into()];
        if self.execute(sql, &values).await? != 1 {
            return Ok(DraftLocked::DraftChanged);
        }
        let sql = "-- study_lock: is a round open
            SELECT round_id FROM rounds WHERE study_id = $1 AND closed_at_ms IS NULL";
        let open = self.row(sql, &[study.as_str().into()]).await?;
        Ok(if open.is_some() { DraftLocked::RoundOpen } else { DraftLocked::Locked })
    }
}

#[async_trait]
impl StudyStore for SqlStore {
    async fn study_put_draft(
        &self,
        study: &StudyId,
        follows: Option<u32>,
        draft: &DraftVersion,
    ) -> Result<DraftStored, StoreError> {
        self.during("study_put_draft", || async {
            let mut tx = self.begin().await?;
            tx.study_name(study).await?;
            if tx.version_in_force(study).await? != follows {
                return Ok(DraftStored::DoesNotFollow);
            }
            tx.draft_replace(study, draft).await?;
            tx.commit().await?;
            Ok(DraftStored::Stored)
        })
        .await
    }

    async fn study_lock(
        &self,
        study: &StudyId,
        protocol: &[u8],
        endorsements: &[Endorsement],
    ) -> Result<DraftLocked, StoreError> {
        self.during("study_lock", || async {
            let mut tx = self.begin().await?;
            let locked = tx.draft_lock(study, protocol, endorsements).await?;
            if locked == DraftLocked::Locked {
                tx.commit().await?;
            }
            Ok(locked)
        })
        .await
    }

    async fn study_find(&self, study: &StudyId) -> Result<Option<StudyRow>, StoreError> {
        self.during("study_find", || async {
            let sql = "-- study_find
                SELECT study_id, version, protocol, endorsements FROM protocols
                WHERE study_id = $1 ORDER BY version";
            let rows = self.rows(sql, &[study.as_str().into()]).await?;
            Ok(study_rows(&rows)?.pop())
        })
        .await
    }

    async fn study_list(&self) -> Result<Vec<StudyRow>, StoreError> {
        self.during("study_list", || async { study_rows(&self.rows(LIST, &[]).await?) }).await
    }
}
