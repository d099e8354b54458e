//! From a vetted result to a committed one: approval, charge and journal in one transaction.

use fedval_ambient::{Problem, Timestamp};
use fedval_disclosure::{SiteLocal, Vetted, bound_bits};
use fedval_study::{
    Canonical, Outcome, PolicyDigest, ResultDigest, RoundId, Sha256Digest, SiteResult,
};
use sqlx::Error;
use sqlx::sqlite::SqliteConnection;

use crate::journal::{self, Event};
use crate::{JobState, Vault, VaultError, checkpoint, counter, job, ledger, vetted};

/// Somebody's approval of exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Digest of the bytes that were looked at.
    pub digest: ResultDigest,
    /// Who approved: a steward's name, or `policy`.
    pub approver: String,
    /// The policy in force.
    pub policy: Option<PolicyDigest>,
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
    /// The ledger grew, or the policy changed, since the rules were applied.
    #[error(
        "the site answered another job, or signed another policy, since this result was vetted"
    )]
    Stale,
    /// Only a refusal is answered without anybody looking at it.
    #[error("only a refusal is committed without having waited")]
    NotARefusal,
    /// The ledger is older than one that this site signed for.
    #[error(
        "this site's ledger was rolled back: it lacks {missing} entries that this site signed for"
    )]
    RolledBack {
        /// How many.
        missing: u64,
    },
    /// The vault failed.
    #[error("the vault cannot record the release")]
    Vault(#[from] VaultError),
}

impl Problem for CommitError {
    fn code(&self) -> &'static str {
        match self {
            Self::NothingWaits => "NOTHING_TO_RELEASE",
            Self::OtherBytes => "APPROVAL_OF_OTHER_BYTES",
            Self::Stale => "RESULT_STALE",
            Self::NotARefusal => "NOT_A_REFUSAL",
            Self::RolledBack { .. } => "LEDGER_ROLLED_BACK",
            Self::Vault(error) => error.code(),
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::NothingWaits => {
                Some("run `fedval-agent jobs` to see where the job stands".to_owned())
            }
            Self::OtherBytes => Some("run `fedval-agent preview JOB` and look again".to_owned()),
            Self::Stale => Some(
                "the running agent vets it again; when `fedval-agent jobs` says `awaiting_release`, \
                 run `fedval-agent preview JOB` and look again"
                    .to_owned(),
            ),
            Self::RolledBack { .. } => Some(
                "find out what the missing entries told, then run `fedval-agent ledger accept`"
                    .to_owned(),
            ),
            Self::NotARefusal => Some("report this with the log: it is a bug".to_owned()),
            Self::Vault(error) => error.remedy(),
        }
    }

    fn exit(&self) -> fedval_ambient::Exit {
        match self {
            Self::NotARefusal => fedval_ambient::Exit::Bug,
            Self::RolledBack { .. } | Self::Stale => fedval_ambient::Exit::Refused,
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
        let tag = VaultError::during("release_commit");
        // What is approved, what waits and where the job stands are one moment's: meanwhile the
        // daemon, another steward or the coordinator may decide otherwise.
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        if let Some(earlier) = ledger::entry(&mut tx, round).await.map_err(&tag)? {
            let same = earlier.digest == approval.digest;
            return if same { Ok(()) } else { Err(CommitError::OtherBytes) };
        }
        let missing = counter::missing(&mut tx).await.map_err(&tag)?;
        if missing > 0 {
            return Err(CommitError::RolledBack { missing });
        }
        let vetted = vetted::find(&mut tx, round).await.map_err(&tag)?;
        let vetted = vetted.ok_or(CommitError::NothingWaits)?;
        let result: Canonical<SiteResult> =
            Canonical::parse(&vetted.bytes).map_err(|_| CommitError::OtherBytes)?;
        if vetted.digest != approval.digest || ResultDigest(result.digest()) != vetted.digest {
            return Err(CommitError::OtherBytes);
        }
        let waits = [JobState::AwaitingRelease];
        let grown = match vetted.beside {
            Some(seen) => seen != ledger::opened(&mut tx).await.map_err(&tag)?,
            None => false,
        };
        if grown || result.value().header.policy != approval.policy {
            // What was not looked at beside this one may give a patient away: the rules look again.
            let again = JobState::Approved;
            if !job::shift(&mut tx, round, &waits, again, now).await.map_err(&tag)? {
                return Err(CommitError::NothingWaits);
            }
            tx.commit().await.map_err(&tag)?;
            return Err(CommitError::Stale);
        }
        if !job::shift(&mut tx, round, &waits, JobState::Released, now).await.map_err(&tag)? {
            return Err(CommitError::NothingWaits);
        }
        let charged = Charged {
            approver: &approval.approver,
            bits: vetted.bits,
            rho_micro: vetted.rho_micro,
            footprint: vetted.footprint.as_ref(),
        };
        charge(&mut tx, &result, charged, now).await.map_err(&tag)?;
        tx.commit().await.map_err(&tag)?;
        Ok(())
    }

    /// Answers an unanswered job with a refusal, which nobody needs to look at first: whatever
    /// waited or ran is not released any more. `false` where the job was answered or cancelled.
    ///
    /// # Errors
    ///
    /// [`CommitError::NotARefusal`] for anything that was computed from data, and
    /// [`CommitError::Vault`].
    pub async fn refusal_commit(
        &self,
        refusal: &Vetted<SiteResult>,
        approver: &str,
        now: Timestamp,
    ) -> Result<bool, CommitError> {
        let SiteResult { header, outcome } = refusal.value();
        if *outcome != Outcome::Refused || header.cohort.is_some() {
            return Err(CommitError::NotARefusal);
        }
        let tag = VaultError::during("refusal_commit");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let (from, to) = (JobState::UNANSWERED, JobState::Released);
        if !job::shift(&mut tx, &header.round, &from, to, now).await.map_err(&tag)? {
            return Ok(false);
        }
        vetted::put(&mut tx, refusal, now).await.map_err(&tag)?;
        let result: Canonical<SiteResult> =
            Canonical::parse(refusal.bytes()).map_err(|_| CommitError::OtherBytes)?;
        let bits = bound_bits(refusal.value());
        let charged = Charged { approver, bits, rho_micro: 0, footprint: None };
        charge(&mut tx, &result, charged, now).await.map_err(&tag)?;
        tx.commit().await.map_err(&tag)?;
        Ok(true)
    }

    /// Records that the coordinator acknowledged a result. Its scores are no longer needed; failed
    /// cases stay, so that a steward can see which and why.
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
        let from = [JobState::Released];
        if job::shift(&mut tx, round, &from, JobState::Sent, now).await.map_err(&tag)? {
            let event = Event::Sent { round: round.clone(), result };
            journal::append(&mut tx, event, now).await.map_err(&tag)?;
            checkpoint::forget_scores(&mut tx, round).await.map_err(&tag)?;
        }
        tx.commit().await.map_err(&tag)
    }

    /// Records that the coordinator no longer has a result that it acknowledged: the same bytes are
    /// sent again, under the same charge. `false` where the result was not acknowledged.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn sent_lost(&self, round: &RoundId, now: Timestamp) -> Result<bool, VaultError> {
        let tag = VaultError::during("sent_lost");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let (from, to) = ([JobState::Sent], JobState::Released);
        if !job::shift(&mut tx, round, &from, to, now).await.map_err(&tag)? {
            return Ok(false);
        }
        let event = Event::Lost { round: round.clone() };
        journal::append(&mut tx, event, now).await.map_err(&tag)?;
        tx.commit().await.map_err(&tag)?;
        Ok(true)
    }
}

/// What a ledger entry holds beside the bytes.
struct Charged<'c> {
    approver: &'c str,
    bits: u64,
    rho_micro: u64,
    footprint: Option<&'c SiteLocal<Vec<u8>>>,
}

/// Writes ledger and journal inside the caller's transaction.
async fn charge(
    connection: &mut SqliteConnection,
    result: &Canonical<SiteResult>,
    charged: Charged<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    let Charged { approver, bits, rho_micro, footprint } = charged;
    let footprint = footprint.map(SiteLocal::open_on_site);
    let SiteResult { header, outcome } = result.value();
    let digest = ResultDigest(result.digest());
    sqlx::query(
        "-- charge
         INSERT INTO ledger (round_id, study_id, protocol, model, cohort, outcome, result,
                             digest, bits, approver, committed_at_ms, footprint, rho_micro)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(header.round.as_str())
    .bind(header.study.as_str())
    .bind(&header.protocol.0.as_bytes()[..])
    .bind(&header.model.0.as_bytes()[..])
    .bind(header.cohort.map(|cohort| cohort.0.as_bytes().to_vec()))
    .bind(outcome.status())
    .bind(result.bytes())
    .bind(&digest.0.as_bytes()[..])
    .bind(i64::try_from(bits).unwrap_or(i64::MAX))
    .bind(approver)
    .bind(now.unix_millis())
    .bind(footprint)
    .bind(i64::try_from(rho_micro).unwrap_or(i64::MAX))
    .execute(&mut *connection)
    .await?;
    let (round, approver) = (header.round.clone(), approver.to_owned());
    let footprint = footprint.map(|bytes| Sha256Digest::of(bytes));
    let event = Event::Committed { round, result: digest, approver, bits, rho_micro, footprint };
    journal::append(connection, event, now).await
}
