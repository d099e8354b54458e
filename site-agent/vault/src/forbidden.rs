//! Boxes that the kernel ended for a system call that nothing honest makes there: what the journal keeps of them.

use fedval_ambient::Timestamp;
use fedval_study::RoundId;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Error, Row as _};

use crate::journal::{self, Event};
use crate::{Vault, VaultError};

/// What was in the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Culprit {
    /// The study's model.
    Model,
    /// A file of this site: an image, a mask, a report, a manifest.
    File,
}

impl Culprit {
    /// The code that this site's people look up.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Model => "MODEL_FORBIDDEN_CALL",
            Self::File => "SANDBOX_FORBIDDEN_CALL",
        }
    }

    /// As the journal writes it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::File => "file",
        }
    }
}

impl Vault {
    /// Notes in the journal that a box of this job was ended so: once for each culprit, however often it happened. `false`
    /// where the journal says it already.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn forbidden_record(
        &self,
        round: &RoundId,
        by: Culprit,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let tag = VaultError::during("forbidden_record");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let is_new = !is_noted(&mut tx, round, by).await.map_err(&tag)?;
        if is_new {
            let event = Event::Forbidden { round: round.clone(), by };
            journal::append(&mut tx, event, now).await.map_err(&tag)?;
        }
        tx.commit().await.map_err(&tag)?;
        Ok(is_new)
    }

    /// The same of files, if a case that was recorded for this job says so of its own.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn forbidden_files_record(
        &self,
        round: &RoundId,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let tag = VaultError::during("forbidden_files_record");
        let row = sqlx::query(
            "-- forbidden_files_record
             SELECT EXISTS (
                 SELECT 1 FROM checkpoints
                 WHERE round_id = ?1 AND json_extract(outcome, '$.outcome') = 'forbidden'
             ) AS known",
        )
        .bind(round.as_str())
        .fetch_one(&self.pool)
        .await
        .map_err(&tag)?;
        if !row.try_get::<bool, _>("known").map_err(&tag)? {
            return Ok(false);
        }
        self.forbidden_record(round, Culprit::File, now).await
    }
}

async fn is_noted(
    connection: &mut SqliteConnection,
    round: &RoundId,
    by: Culprit,
) -> Result<bool, Error> {
    let row = sqlx::query(
        "-- forbidden: is noted
         SELECT EXISTS (
             SELECT 1 FROM journal
             WHERE json_extract(entry, '$.event.forbidden.round') = ?1
               AND json_extract(entry, '$.event.forbidden.by') = ?2
         ) AS known",
    )
    .bind(round.as_str())
    .bind(by.as_str())
    .fetch_one(connection)
    .await?;
    row.try_get("known")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The question to the journal is put in the words that stand there.
    #[test]
    fn a_culprit_is_called_as_it_is_written() {
        for by in [Culprit::Model, Culprit::File] {
            assert_eq!(serde_json::to_value(by).unwrap(), by.as_str());
        }
    }
}
