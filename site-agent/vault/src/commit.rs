//! From a vetted result to a committed one: approval, charge and journal in one transaction.

use fedval_ambient::{Problem, Timestamp};
use fedval_study::{Canonical, ResultDigest, RoundId, SiteResult};

use crate::journal::{self, Event};
use crate::{JobState, Vault, VaultError};

/// Somebody's approval of exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Digest of the bytes that were looked at.
    pub digest: ResultDigest,
    /// Who approved: a steward's name, or `policy`.
    pub approver: String,
}

/// A result cannot be committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// No vetted result waits for this job.
    #[error("no result of this job waits for release")]
    NothingWaits,
    /// The approval is of other bytes.
    #[error("the approval is of other bytes than the ones that wait")]
    OtherBytes,
    /// The vault failed.
    #[error("the vault cannot record the release")]
    Vault(#[from] VaultError),
}

impl Problem for CommitError {
    fn code(&self) -> &'static str {
        match self {
            Self::NothingWaits => "NOTHING_TO_RELEASE",
            Self::OtherBytes => "APPROVAL_OF_OTHER_BYTES",
            Self::Vault(error) => error.code(),
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::NothingWaits => Some("run `fedval-agent jobs` to see where the job stands".to_owned()),
            Self::OtherBytes => Some("run `fedval-agent preview JOB` and look again".to_owned()),
            Self::Vault(error) => error.remedy(),
        }
    }

    fn exit(&self) -> fedval_ambient::Exit {
        match self {
            Self::Vault(error) => error.exit(),
            _ => fedval_ambient::Exit::Usage,
        }
    }
}

impl Vault {
    /// Commits the vetted result of a job: after this returns, it is charged and will be sent, also
    /// after a crash. A second call for the same bytes changes nothing.
    ///
    /// # Errors
    ///
    /// See [`CommitError`].
    pub async fn release_commit(
        &self,
        round: &RoundId,
        approval: &Approval,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        if let Some(earlier) = self.ledger_find(round).await? {
            let same = earlier.digest == approval.digest;
            return if same { Ok(()) } else { Err(CommitError::OtherBytes) };
        }
        let vetted = self.vetted_find(round).await?.ok_or(CommitError::NothingWaits)?;
        if vetted.digest != approval.digest {
            return Err(CommitError::OtherBytes);
        }
        let result: Canonical<SiteResult> =
            Canonical::parse(&vetted.bytes).map_err(|_| CommitError::OtherBytes)?;
        if ResultDigest(result.digest()) != vetted.digest {
            return Err(CommitError::OtherBytes);
        }
        let bits = i64::try_from(vetted.bits).unwrap_or(i64::MAX);
        self.write(round, &result, approval, bits, now).await.map_err(CommitError::Vault)
    }

    async fn write(
        &self,
        round: &RoundId,
        result: &Canonical<SiteResult>,
        approval: &Approval,
        bits: i64,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let tag = VaultError::during("release_commit");
        let header = &result.value().header;
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        sqlx::query(
            "-- release_commit
             INSERT INTO ledger (round_id, study_id, protocol, model, cohort, outcome, result,
                                 digest, bits, approver, committed_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .bind(round.as_str())
        .bind(header.study.as_str())
        .bind(&header.protocol.0.as_bytes()[..])
        .bind(&header.model.0.as_bytes()[..])
        .bind(header.cohort.map(|cohort| cohort.0.as_bytes().to_vec()))
        .bind(result.value().outcome.status())
        .bind(result.bytes())
        .bind(&approval.digest.0.as_bytes()[..])
        .bind(bits)
        .bind(&approval.approver)
        .bind(now.unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        let event = Event::Committed {
            round: round.clone(),
            result: approval.digest,
            approver: approval.approver.clone(),
        };
        journal::append(&mut tx, event, now).await.map_err(&tag)?;
        sqlx::query(
            "-- release_commit: job
             UPDATE jobs SET state = 'released', changed_at_ms = ?2 WHERE round_id = ?1",
        )
        .bind(round.as_str())
        .bind(now.unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        tx.commit().await.map_err(&tag)
    }

    /// Records that the coordinator acknowledged a result; its checkpoints are no longer needed.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn sent_record(
        &self,
        round: &RoundId,
        result: ResultDigest,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let tag = VaultError::during("sent_record");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let moved = sqlx::query(
            "-- sent_record
             UPDATE jobs SET state = 'sent', changed_at_ms = ?3 WHERE round_id = ?1 AND state = ?2",
        )
        .bind(round.as_str())
        .bind(JobState::Released.as_str())
        .bind(now.unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        if moved.rows_affected() == 1 {
            let event = Event::Sent { round: round.clone(), result };
            journal::append(&mut tx, event, now).await.map_err(&tag)?;
        }
        tx.commit().await.map_err(&tag)
    }
}
