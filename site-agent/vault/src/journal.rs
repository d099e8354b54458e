//! The journal: what happened, hash-chained, so that a changed or missing entry shows.

use fedval_ambient::Timestamp;
use fedval_study::{Canonical, ResultDigest, RoundId, Sha256Digest};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Error, Row as _};

use crate::row::{damaged, digest};
use crate::{Vault, VaultError};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// Bytes were approved and charged to the ledger.
    Committed {
        /// The round.
        round: RoundId,
        /// Digest of the bytes.
        result: ResultDigest,
        /// Who approved.
        approver: String,
    },
    /// The coordinator acknowledged the bytes.
    Sent {
        /// The round.
        round: RoundId,
        /// Digest of the bytes.
        result: ResultDigest,
    },
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry {
    /// Counted from 1.
    pub sequence: i64,
    /// When, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// What.
    pub event: Event,
}

/// SHA-256 over the previous hash and the entry's canonical bytes.
fn chained(previous: &Sha256Digest, entry: &[u8]) -> Sha256Digest {
    Sha256Digest::of(&[&previous.as_bytes()[..], entry].concat())
}

/// What the first entry is chained to.
fn genesis() -> Sha256Digest {
    Sha256Digest::of(b"fedval journal v1")
}

/// Appends an entry inside the caller's transaction.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    event: Event,
    now: Timestamp,
) -> Result<(), Error> {
    let last = sqlx::query("-- journal: last\nSELECT * FROM journal ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    let (sequence, previous) = match &last {
        Some(row) => (row.try_get::<i64, _>("sequence")?, digest(row, "hash")?),
        None => (0, genesis()),
    };
    let entry = JournalEntry { sequence: sequence + 1, at_ms: now.unix_millis(), event };
    let entry = Canonical::new(entry).map_err(|error| Error::Encode(error.into()))?;
    let text = std::str::from_utf8(entry.bytes()).map_err(|_| damaged("entry"))?;
    sqlx::query("-- journal: append\nINSERT INTO journal (sequence, entry, hash) VALUES (?1, ?2, ?3)")
        .bind(entry.value().sequence)
        .bind(text)
        .bind(&chained(&previous, entry.bytes()).as_bytes()[..])
        .execute(connection)
        .await?;
    Ok(())
}

impl Vault {
    /// Reads the whole journal and proves its chain, and that every ledger row has its entry.
    ///
    /// # Errors
    ///
    /// [`VaultError::JournalBroken`] at the first entry that does not hold.
    pub async fn journal_verify(&self) -> Result<Vec<JournalEntry>, VaultError> {
        let tag = VaultError::during("journal_verify");
        let rows = sqlx::query("-- journal_verify\nSELECT * FROM journal ORDER BY sequence")
            .fetch_all(&self.pool)
            .await
            .map_err(&tag)?;
        let mut previous = genesis();
        let mut entries: Vec<JournalEntry> = Vec::new();
        for (position, row) in (1..).zip(&rows) {
            let broken = VaultError::JournalBroken { sequence: position };
            let text: String = row.try_get("entry").map_err(&tag)?;
            let expected = chained(&previous, text.as_bytes());
            let Ok(entry) = Canonical::<JournalEntry>::parse(text.as_bytes()) else {
                return Err(broken);
            };
            if digest(row, "hash").map_err(&tag)? != expected || entry.value().sequence != position {
                return Err(broken);
            }
            previous = expected;
            entries.push(entry.into_value());
        }
        self.ledger_is_journalled(&entries).await?;
        Ok(entries)
    }

    async fn ledger_is_journalled(&self, entries: &[JournalEntry]) -> Result<(), VaultError> {
        let committed: Vec<(&RoundId, &ResultDigest)> = entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::Committed { round, result, .. } => Some((round, result)),
                Event::Sent { .. } => None,
            })
            .collect();
        let ledger = self.ledger_list().await?;
        let same = ledger.len() == committed.len()
            && ledger.iter().all(|row| {
                let bytes = ResultDigest(Sha256Digest::of(&row.bytes));
                bytes == row.digest && committed.contains(&(&row.round, &row.digest))
            });
        let last = entries.last().map_or(0, |entry| entry.sequence);
        if same { Ok(()) } else { Err(VaultError::JournalBroken { sequence: last + 1 }) }
    }
}
