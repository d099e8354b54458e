//! The journal: what happened, hash-chained, so that a changed or missing entry shows.

use std::collections::BTreeSet;

use fedval_ambient::Timestamp;
use fedval_study::{Canonical, ResultDigest, RoundId, Sha256Digest};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::forbidden::Culprit;
use crate::ledger::{self, LedgerEntry};
use crate::row::{damaged, digest, parsed};
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
        /// Bits that were charged.
        bits: u64,
        /// Privacy that was charged, in 10⁻⁶ zCDP.
        #[serde(default, skip_serializing_if = "is_zero")]
        rho_micro: u64,
        /// Digest of what the ledger remembers of the cohort.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footprint: Option<Sha256Digest>,
    },
    /// A steward looked into entries that a restored backup lacks, and lets releases go on.
    Accepted {
        /// Who.
        approver: String,
        /// How many entries were missing.
        missing: u64,
    },
    /// The coordinator acknowledged the bytes.
    Sent {
        /// The round.
        round: RoundId,
        /// Digest of the bytes.
        result: ResultDigest,
    },
    /// The coordinator asked for acknowledged bytes again: it was restored from an older backup.
    Lost {
        /// The round.
        round: RoundId,
    },
    /// The kernel ended a box for a system call that nothing honest makes there.
    Forbidden {
        /// The round.
        round: RoundId,
        /// What was in the box.
        by: Culprit,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
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

/// Hash of the last entry.
pub(crate) async fn head(connection: &mut SqliteConnection) -> Result<Sha256Digest, Error> {
    let last =
        sqlx::query("-- journal: head\nSELECT * FROM journal ORDER BY sequence DESC LIMIT 1")
            .fetch_optional(connection)
            .await?;
    last.as_ref().map_or_else(|| Ok(genesis()), |row| digest(row, "hash"))
}

/// Appends an entry inside the caller's transaction.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    event: Event,
    now: Timestamp,
) -> Result<(), Error> {
    let last =
        sqlx::query("-- journal: last\nSELECT * FROM journal ORDER BY sequence DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    let (sequence, previous) = match &last {
        Some(row) => (row.try_get::<i64, _>("sequence")?, digest(row, "hash")?),
        None => (0, genesis()),
    };
    let entry = JournalEntry { sequence: sequence + 1, at_ms: now.unix_millis(), event };
    let entry = Canonical::new(entry).map_err(|error| Error::Encode(error.into()))?;
    let text = std::str::from_utf8(entry.bytes()).map_err(|_| damaged("entry"))?;
    sqlx::query(
        "-- journal: append\nINSERT INTO journal (sequence, entry, hash) VALUES (?1, ?2, ?3)",
    )
    .bind(entry.value().sequence)
    .bind(text)
    .bind(&chained(&previous, entry.bytes()).as_bytes()[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// Journal and ledger of one moment, each entry of one proven by the other.
pub(crate) struct Verified {
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) ledger: Vec<LedgerEntry>,
}

impl Vault {
    /// Reads the whole journal, checks its chain, and that it names every entry of the ledger and
    /// every acknowledgement.
    ///
    /// # Errors
    ///
    /// [`VaultError::JournalBroken`] at the first entry that does not hold.
    pub async fn journal_verify(&self) -> Result<Vec<JournalEntry>, VaultError> {
        Ok(self.verified().await?.journal)
    }

    pub(crate) async fn verified(&self) -> Result<Verified, VaultError> {
        let tag = VaultError::during("journal_verify");
        // One transaction, one moment: a steward's command may commit between two reads.
        let mut tx = self.pool.begin().await.map_err(&tag)?;
        let rows = sqlx::query("-- journal_verify\nSELECT * FROM journal ORDER BY sequence")
            .fetch_all(&mut *tx)
            .await
            .map_err(&tag)?;
        let ledger = ledger::entries(&mut tx).await.map_err(|error| match error {
            Error::Decode(_) | Error::ColumnDecode { .. } => past_the_end(rows.len()),
            error => tag(error),
        })?;
        let sent = sqlx::query("-- journal_verify: jobs\nSELECT * FROM jobs WHERE state = 'sent'")
            .fetch_all(&mut *tx)
            .await
            .map_err(&tag)?;
        tx.rollback().await.map_err(&tag)?;
        let sent = sent.iter().map(|row| parsed(row, "round_id")).collect::<Result<_, _>>();
        let journal = chain(&rows)?;
        if names_all(&journal, &ledger, &sent.map_err(&tag)?) {
            return Ok(Verified { journal, ledger });
        }
        Err(past_the_end(journal.len()))
    }
}

/// The chain holds, but does not lead to the ledger that is there.
fn past_the_end(entries: usize) -> VaultError {
    VaultError::JournalBroken { sequence: i64::try_from(entries).unwrap_or(i64::MAX - 1) + 1 }
}

/// The entries, if each holds the hash of the one before.
fn chain(rows: &[SqliteRow]) -> Result<Vec<JournalEntry>, VaultError> {
    let tag = VaultError::during("journal_verify");
    let mut previous = genesis();
    let mut entries = Vec::with_capacity(rows.len());
    for (position, row) in (1..).zip(rows) {
        let broken = VaultError::JournalBroken { sequence: position };
        let text: String = row.try_get("entry").map_err(&tag)?;
        let hash: Vec<u8> = row.try_get("hash").map_err(&tag)?;
        let expected = chained(&previous, text.as_bytes());
        let Ok(entry) = Canonical::<JournalEntry>::parse(text.as_bytes()) else {
            return Err(broken);
        };
        if hash != expected.as_bytes() || entry.value().sequence != position {
            return Err(broken);
        }
        previous = expected;
        entries.push(entry.into_value());
    }
    Ok(entries)
}

/// Whether the journal names exactly what the ledger holds and what was acknowledged.
fn names_all(journal: &[JournalEntry], ledger: &[LedgerEntry], sent: &BTreeSet<RoundId>) -> bool {
    let commits = |entry: &&JournalEntry| matches!(entry.event, Event::Committed { .. });
    let mut acknowledged = BTreeSet::new();
    for entry in journal {
        match &entry.event {
            Event::Committed { .. } | Event::Accepted { .. } | Event::Forbidden { .. } => {}
            Event::Sent { round, .. } => drop(acknowledged.insert(round.clone())),
            Event::Lost { round } => drop(acknowledged.remove(round)),
        }
    }
    acknowledged == *sent
        && journal.iter().filter(commits).count() == ledger.len()
        && ledger.iter().all(|row| {
            row.describes_its_bytes() && journal.iter().any(|entry| is_commit_of(entry, row))
        })
}

fn is_commit_of(entry: &JournalEntry, row: &LedgerEntry) -> bool {
    let Event::Committed { round, result, approver, bits, rho_micro, footprint } = &entry.event
    else {
        return false;
    };
    let remembered = row.footprint.as_ref().map(|bytes| Sha256Digest::of(bytes.open_on_site()));
    (round, *result, approver, *bits) == (&row.round, row.digest, &row.approver, row.bits)
        && (*rho_micro, *footprint) == (row.rho_micro, remembered)
        && entry.at_ms == row.committed_at.unix_millis()
}
