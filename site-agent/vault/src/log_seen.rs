//! How far this site followed the coordinator's log.

use fedval_study::{MerkleTree, Sha256Digest};
use sqlx::{Error, Row as _};

use crate::row::{count, damaged};
use crate::{Vault, VaultError};

/// Bytes of a hash.
const HASH: usize = 32;

/// What is known of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSeen {
    /// The tree that was followed.
    pub tree: MerkleTree,
    /// Entries of the last state whose signature the coordinator took.
    pub signed: u64,
    /// Entries of a log that did not go on from it, where one was shown.
    pub broken: Option<u64>,
}

impl Vault {
    /// How far the log was followed.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn log_seen(&self) -> Result<LogSeen, VaultError> {
        let tag = VaultError::during("log_seen");
        let sql = "-- log_seen\nSELECT leaves, subtrees, signed, broken FROM log_seen";
        let row = sqlx::query(sql).fetch_one(&self.pool).await.map_err(&tag)?;
        let subtrees: &[u8] = row.try_get("subtrees").map_err(&tag)?;
        let subtrees = subtrees.chunks(HASH).map(Sha256Digest::try_from);
        let subtrees = subtrees.collect::<Result<Vec<_>, _>>().map_err(|_| damaged("subtrees"));
        let leaves = count(&row, "leaves").map_err(&tag)?;
        let tree = MerkleTree::from_parts(leaves, subtrees.map_err(&tag)?);
        let broken: Option<i64> = row.try_get("broken").map_err(&tag)?;
        Ok(LogSeen {
            tree: tree.ok_or_else(|| damaged("leaves")).map_err(&tag)?,
            signed: count(&row, "signed").map_err(&tag)?,
            broken: broken.map(i64::unsigned_abs),
        })
    }

    /// Keeps how far the log was followed; what was broken stays so until [`Self::log_forget`].
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn log_follow(&self, tree: &MerkleTree) -> Result<(), VaultError> {
        let tag = VaultError::during("log_follow");
        let leaves = i64::try_from(tree.leaves()).map_err(|_| tag(damaged("leaves")))?;
        let subtrees: Vec<u8> = tree.subtrees().iter().flat_map(|node| *node.as_bytes()).collect();
        self.log_write(
            "-- log_follow\nUPDATE log_seen SET leaves = ?1, subtrees = ?2",
            leaves,
            &subtrees,
        )
        .await
        .map_err(tag)
    }

    /// Notes that the signature of a state of so many entries was taken.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn log_signed(&self, entries: u64) -> Result<(), VaultError> {
        let tag = VaultError::during("log_signed");
        let entries = i64::try_from(entries).unwrap_or(i64::MAX);
        let sql = "-- log_signed\nUPDATE log_seen SET signed = ?1";
        sqlx::query(sql).bind(entries).execute(&self.pool).await.map_err(tag)?;
        Ok(())
    }

    /// Notes that a log of so many entries did not go on from what was followed.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn log_break(&self, entries: u64) -> Result<(), VaultError> {
        let tag = VaultError::during("log_break");
        let entries = i64::try_from(entries).unwrap_or(i64::MAX);
        let sql = "-- log_break\nUPDATE log_seen SET broken = ?1";
        sqlx::query(sql).bind(entries).execute(&self.pool).await.map_err(tag)?;
        Ok(())
    }

    /// Begins to follow anew, as a steward decided.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn log_forget(&self) -> Result<(), VaultError> {
        let tag = VaultError::during("log_forget");
        let sql = "-- log_forget\nUPDATE log_seen SET leaves = ?1, subtrees = ?2, signed = 0, broken = NULL";
        self.log_write(sql, 0, &[]).await.map_err(tag)
    }

    async fn log_write(
        &self,
        sql: &'static str,
        leaves: i64,
        subtrees: &[u8],
    ) -> Result<(), Error> {
        sqlx::query(sql).bind(leaves).bind(subtrees).execute(&self.pool).await?;
        Ok(())
    }
}
