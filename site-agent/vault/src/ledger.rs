//! The ledger: everything this site ever told anyone.

use fedval_ambient::Timestamp;
use fedval_disclosure::rules::dc20_rerun::Question;
use fedval_disclosure::{Committed, Earlier, Footprint, History, Ledger, SiteLocal};
use fedval_study::{
    Canonical, CohortCommitment, ModelDigest, ProtocolDigest, ResultDigest, RoundId, Sha256Digest,
    SiteResult, StudyId,
};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::row::{count, damaged, digest, moment, parsed};
use crate::{Vault, VaultError};

/// One answer that this site gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The round that was answered.
    pub round: RoundId,
    /// Its study.
    pub study: StudyId,
    /// The protocol.
    pub protocol: ProtocolDigest,
    /// The model.
    pub model: ModelDigest,
    /// The cohort, where one was opened.
    pub cohort: Option<CohortCommitment>,
    /// released, insufficient, refused or failed.
    pub outcome: String,
    /// The approved bytes.
    pub bytes: Vec<u8>,
    /// Their digest at approval.
    pub digest: ResultDigest,
    /// Bits that were charged.
    pub bits: u64,
    /// Who approved.
    pub approver: String,
    /// When it became durable.
    pub committed_at: Timestamp,
    /// What it cost, in 10⁻⁶ zCDP.
    pub rho_micro: u64,
    /// Who was in it and what was shown, as it is stored.
    pub(crate) footprint: Option<SiteLocal<Vec<u8>>>,
}

impl LedgerEntry {
    /// The question that this entry answered.
    #[must_use]
    pub fn question(&self) -> Question {
        Question { round: self.round.clone(), protocol: self.protocol, model: self.model }
    }

    /// Patients that the answer was about; `None` where no cohort was opened.
    ///
    /// # Errors
    ///
    /// [`VaultError::LedgerDamaged`] if what is remembered cannot be read.
    pub fn footprint(&self) -> Result<Option<SiteLocal<Footprint>>, VaultError> {
        let Some(bytes) = &self.footprint else { return Ok(None) };
        let footprint = Footprint::from_bytes(bytes.open_on_site());
        footprint.map(SiteLocal::new).map(Some).map_err(|_| VaultError::LedgerDamaged)
    }

    /// Whether every column says what the approved bytes say.
    pub(crate) fn describes_its_bytes(&self) -> bool {
        let Ok(result) = Canonical::<SiteResult>::parse(&self.bytes) else { return false };
        let header = &result.value().header;
        ResultDigest(result.digest()) == self.digest
            && header.round == self.round
            && header.study == self.study
            && header.protocol == self.protocol
            && header.model == self.model
            && header.cohort == self.cohort
            && result.value().outcome.status() == self.outcome
    }
}

fn entry_of(row: &SqliteRow) -> Result<LedgerEntry, Error> {
    let cohort: Option<Vec<u8>> = row.try_get("cohort")?;
    let cohort = cohort.map(|bytes| Sha256Digest::try_from(bytes.as_slice())).transpose();
    Ok(LedgerEntry {
        round: parsed(row, "round_id")?,
        study: parsed(row, "study_id")?,
        protocol: ProtocolDigest(digest(row, "protocol")?),
        model: ModelDigest(digest(row, "model")?),
        cohort: cohort.map_err(|_| damaged("cohort"))?.map(CohortCommitment),
        outcome: row.try_get("outcome")?,
        bytes: row.try_get("result")?,
        digest: ResultDigest(digest(row, "digest")?),
        bits: count(row, "bits")?,
        approver: row.try_get("approver")?,
        committed_at: moment(row, "committed_at_ms")?,
        rho_micro: count(row, "rho_micro")?,
        footprint: row.try_get::<Option<Vec<u8>>, _>("footprint")?.map(SiteLocal::new),
    })
}

/// Every entry, oldest first.
pub(crate) async fn entries(connection: &mut SqliteConnection) -> Result<Vec<LedgerEntry>, Error> {
    sqlx::query("-- ledger: entries\nSELECT * FROM ledger ORDER BY committed_at_ms, round_id")
        .fetch_all(connection)
        .await?
        .iter()
        .map(entry_of)
        .collect()
}

/// How many answers opened a cohort.
pub(crate) async fn opened(connection: &mut SqliteConnection) -> Result<u64, Error> {
    let row = sqlx::query(
        "-- ledger: opened
         SELECT count(*) AS opened FROM ledger WHERE footprint IS NOT NULL",
    );
    count(&row.fetch_one(connection).await?, "opened")
}

/// The answer to a round.
pub(crate) async fn entry(
    connection: &mut SqliteConnection,
    round: &RoundId,
) -> Result<Option<LedgerEntry>, Error> {
    sqlx::query("-- ledger: entry\nSELECT * FROM ledger WHERE round_id = ?1")
        .bind(round.as_str())
        .fetch_optional(connection)
        .await?
        .as_ref()
        .map(entry_of)
        .transpose()
}

impl Vault {
    /// Every entry, oldest first.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn ledger_list(&self) -> Result<Vec<LedgerEntry>, VaultError> {
        let tag = VaultError::during("ledger_list");
        entries(&mut *self.pool.acquire().await.map_err(&tag)?).await.map_err(&tag)
    }

    /// The answer to a round.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn ledger_find(&self, round: &RoundId) -> Result<Option<LedgerEntry>, VaultError> {
        let tag = VaultError::during("ledger_find");
        entry(&mut *self.pool.acquire().await.map_err(&tag)?, round).await.map_err(&tag)
    }
}

impl Vault {
    /// Everything that the next release is held against, from a ledger whose chain holds.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails, the chain is broken or an entry cannot be read.
    pub async fn history(&self) -> Result<SiteLocal<History>, VaultError> {
        // One after the other: what an entry is stored as goes before the next is read.
        let earlier = self.verified().await?.ledger.into_iter().map(|entry| {
            let footprint = entry.footprint()?;
            Ok(Earlier {
                study: entry.study,
                protocol: entry.protocol,
                model: entry.model,
                committed_at_ms: entry.committed_at.unix_millis(),
                released: entry.outcome == "released",
                rho_micro: entry.rho_micro,
                footprint: footprint.map(|footprint| footprint.open_on_site().clone()),
            })
        });
        Ok(SiteLocal::new(History(earlier.collect::<Result<_, VaultError>>()?)))
    }
}

impl Ledger for Vault {
    type Error = VaultError;

    async fn committed(&self, round: &RoundId) -> Result<Option<Committed>, VaultError> {
        // Whoever changed the ledger by hand must not get bytes out of it.
        let entry = self.verified().await?.ledger.into_iter().find(|entry| entry.round == *round);
        Ok(entry.map(|entry| Committed { bytes: entry.bytes, digest: entry.digest }))
    }
}
