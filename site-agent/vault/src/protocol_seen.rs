//! Versions of protocols that were dispatched to this site: no study goes back to one that was replaced.

use fedval_ambient::Timestamp;
use fedval_study::{ProtocolDigest, StudyId};
use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use crate::row::{count, damaged, digest};
use crate::{Vault, VaultError};

/// How a version of a protocol stands to those of its study that this site saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionSeen {
    /// None is newer.
    Newest,
    /// A newer one was seen.
    Older {
        /// That one.
        newest: u32,
    },
    /// Another protocol was seen as the same version.
    Other,
}

/// The newest version of a study that was seen.
async fn newest(
    connection: &mut SqliteConnection,
    study: &StudyId,
) -> Result<Option<(u32, ProtocolDigest)>, Error> {
    let row = sqlx::query(
        "-- protocol_see: newest
         SELECT version, protocol FROM protocols_seen
         WHERE study_id = ?1 ORDER BY version DESC LIMIT 1",
    )
    .bind(study.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let version = u32::try_from(count(&row, "version")?).map_err(|_| damaged("version"))?;
    Ok(Some((version, ProtocolDigest(digest(&row, "protocol")?))))
}

impl Vault {
    /// Judges a version that sponsor and coordinator signed, and remembers it where none is newer.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn protocol_see(
        &self,
        study: &StudyId,
        version: u32,
        protocol: ProtocolDigest,
        now: Timestamp,
    ) -> Result<VersionSeen, VaultError> {
        let tag = VaultError::during("protocol_see");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        match newest(&mut tx, study).await.map_err(&tag)? {
            Some((newest, _)) if version < newest => return Ok(VersionSeen::Older { newest }),
            Some((newest, known)) if version == newest => {
                let is_known = known == protocol;
                return Ok(if is_known { VersionSeen::Newest } else { VersionSeen::Other });
            }
            _ => {}
        }
        sqlx::query(
            "-- protocol_see
             INSERT INTO protocols_seen (study_id, version, protocol, seen_at_ms)
             VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(study.as_str())
        .bind(i64::from(version))
        .bind(&protocol.0.as_bytes()[..])
        .bind(now.unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        tx.commit().await.map_err(&tag)?;
        Ok(VersionSeen::Newest)
    }
}
