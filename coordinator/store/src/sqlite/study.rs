//! Studies.

use async_trait::async_trait;
use fedval_core::port::{DraftStored, Endorsement, StoreError, StudyRow, StudyState, StudyStore};
use fedval_study::StudyId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use super::SqliteStore;
use super::row::{damaged, json, parsed, to_json};

fn study_row(row: &SqliteRow) -> Result<StudyRow, Error> {
    let state = match row.try_get::<&str, _>("state")? {
        "draft" => StudyState::Draft,
        "locked" => StudyState::Locked,
        _ => return Err(damaged("state")),
    };
    Ok(StudyRow {
        study: parsed(row, "study_id")?,
        state,
        protocol: row.try_get("protocol")?,
        endorsements: json(row, "endorsements")?,
    })
}

#[async_trait]
impl StudyStore for SqliteStore {
    async fn study_put_draft(
        &self,
        study: &StudyId,
        protocol: &[u8],
    ) -> Result<DraftStored, StoreError> {
        let done = sqlx::query(
            "-- study_put_draft
             INSERT INTO studies (study_id, state, protocol, endorsements) VALUES (?1, 'draft', ?2, '[]')
             ON CONFLICT (study_id) DO UPDATE SET protocol = excluded.protocol WHERE state = 'draft'",
        )
        .bind(study.as_str())
        .bind(protocol)
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("study_put_draft"))?;
        let stored = done.rows_affected() == 1;
        Ok(if stored { DraftStored::Stored } else { DraftStored::AlreadyLocked })
    }

    async fn study_lock(
        &self,
        study: &StudyId,
        protocol: &[u8],
        endorsements: &[Endorsement],
    ) -> Result<bool, StoreError> {
        let tag = StoreError::during::<Error>("study_lock");
        let done = sqlx::query(
            "-- study_lock
             UPDATE studies SET state = 'locked', endorsements = ?3
             WHERE study_id = ?1 AND state = 'draft' AND protocol = ?2",
        )
        .bind(study.as_str())
        .bind(protocol)
        .bind(to_json(&endorsements).map_err(&tag)?)
        .execute(&self.pool)
        .await
        .map_err(&tag)?;
        Ok(done.rows_affected() == 1)
    }

    async fn study_find(&self, study: &StudyId) -> Result<Option<StudyRow>, StoreError> {
        let tag = StoreError::during::<Error>("study_find");
        let row = sqlx::query("-- study_find\nSELECT * FROM studies WHERE study_id = ?1")
            .bind(study.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(&tag)?;
        row.as_ref().map(study_row).transpose().map_err(&tag)
    }

    async fn study_list(&self) -> Result<Vec<StudyRow>, StoreError> {
        let tag = StoreError::during::<Error>("study_list");
        let rows = sqlx::query("-- study_list\nSELECT * FROM studies ORDER BY study_id")
            .fetch_all(&self.pool)
            .await
            .map_err(&tag)?;
        rows.iter().map(study_row).collect::<Result<_, _>>().map_err(&tag)
    }
}
