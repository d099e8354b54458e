//! Studies.

use async_trait::async_trait;
use fedval_core::port::{DraftStored, Endorsement, StoreError, StudyRow, StudyState, StudyStore};
use fedval_study::StudyId;
use sqlx::Error;

use super::SqlStore;
use super::database::{Row, Transaction};
use super::row::{damaged, json, parsed, to_json};

fn study_row(row: &Row) -> Result<StudyRow, Error> {
    let state = match row.get("state")? {
        "draft" => StudyState::Draft,
        "locked" => StudyState::Locked,
        _ => return Err(damaged("state")),
    };
    Ok(StudyRow {
        study: parsed(row, "study_id")?,
        state,
        protocol: row.get("protocol")?,
        endorsements: json(row, "endorsements")?,
    })
}

fn study_rows(rows: &[Row]) -> Result<Vec<StudyRow>, Error> {
    rows.iter().map(study_row).collect()
}

const LIST: &str = "-- study_list
    SELECT study_id, state, protocol, endorsements FROM studies ORDER BY study_id";

impl Transaction {
    pub(super) async fn study_list(&mut self) -> Result<Vec<StudyRow>, Error> {
        study_rows(&self.rows(LIST, &[]).await?)
    }

    /// A study as a snapshot has it.
    pub(super) async fn study_restore(&mut self, study: &StudyRow) -> Result<(), Error> {
        let state = match study.state {
            StudyState::Draft => "draft",
            StudyState::Locked => "locked",
        };
        self.execute(
            "-- study_restore
             INSERT INTO studies (study_id, state, protocol, endorsements) VALUES ($1, $2, $3, $4)",
            &[
                study.study.as_str().into(),
                state.into(),
                study.protocol[..].into(),
                to_json(&study.endorsements)?.as_str().into(),
            ],
        )
        .await?;
        Ok(())
    }
}

#[async_trait]
impl StudyStore for SqlStore {
    async fn study_put_draft(
        &self,
        study: &StudyId,
        protocol: &[u8],
    ) -> Result<DraftStored, StoreError> {
        self.during("study_put_draft", || async {
            let stored = self
                .execute(
                    "-- study_put_draft
                     INSERT INTO studies (study_id, state, protocol, endorsements)
                     VALUES ($1, 'draft', $2, '[]')
                     ON CONFLICT (study_id) DO UPDATE SET protocol = excluded.protocol
                     WHERE studies.state = 'draft'",
                    &[study.as_str().into(), protocol.into()],
                )
                .await?;
            Ok(if stored == 1 { DraftStored::Stored } else { DraftStored::AlreadyLocked })
        })
        .await
    }

    async fn study_lock(
        &self,
        study: &StudyId,
        protocol: &[u8],
        endorsements: &[Endorsement],
    ) -> Result<bool, StoreError> {
        self.during("study_lock", || async {
            let endorsements = to_json(endorsements)?;
            let locked = self
                .execute(
                    "-- study_lock
                     UPDATE studies SET state = 'locked', endorsements = $3
                     WHERE study_id = $1 AND state = 'draft' AND protocol = $2",
                    &[study.as_str().into(), protocol.into(), endorsements.as_str().into()],
                )
                .await?;
            Ok(locked == 1)
        })
        .await
    }

    async fn study_find(&self, study: &StudyId) -> Result<Option<StudyRow>, StoreError> {
        self.during("study_find", || async {
            let sql = "-- study_find
                SELECT study_id, state, protocol, endorsements FROM studies WHERE study_id = $1";
            let row = self.row(sql, &[study.as_str().into()]).await?;
            row.as_ref().map(study_row).transpose()
        })
        .await
    }

    async fn study_list(&self) -> Result<Vec<StudyRow>, StoreError> {
        self.during("study_list", || async { study_rows(&self.rows(LIST, &[]).await?) }).await
    }
}
