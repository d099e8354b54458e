//! Jobs: what was dispatched to this site and where each stands.

use fedval_ambient::Timestamp;
use fedval_study::{Dispatch, RoundId};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::row::{count, damaged, json, moment, to_json};
use crate::{Vault, VaultError};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Waits for a steward or a policy.
    Offered,
    /// May run.
    Approved,
    /// Is being evaluated.
    Running,
    /// A vetted result waits for a steward or a policy.
    AwaitingRelease,
    /// Approved bytes are in the ledger and on their way.
    Released,
    /// The coordinator acknowledged them.
    Sent,
    /// The round was closed before this site answered.
    Cancelled,
}

impl JobState {
    const ALL: [Self; 7] = [
        Self::Offered,
        Self::Approved,
        Self::Running,
        Self::AwaitingRelease,
        Self::Released,
        Self::Sent,
        Self::Cancelled,
    ];

    /// The states of a job that was not answered: it can still be refused or cancelled.
    pub(crate) const UNANSWERED: [Self; 4] =
        [Self::Offered, Self::Approved, Self::Running, Self::AwaitingRelease];

    /// The state as commands print it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Approved => "approved",
            Self::Running => "running",
            Self::AwaitingRelease => "awaiting_release",
            Self::Released => "released",
            Self::Sent => "sent",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A dispatch whose signatures were verified.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The order.
    pub dispatch: Dispatch,
    /// Canonical bytes of the locked protocol.
    pub protocol: Vec<u8>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// The order.
    pub dispatch: Dispatch,
    /// Canonical bytes of the locked protocol.
    pub protocol: Vec<u8>,
    /// Where it stands.
    pub state: JobState,
    /// Last lease that the coordinator granted; 0 for none.
    pub lease_epoch: u64,
    /// Code of why it was answered as it was, for this site's eyes.
    pub note: Option<String>,
    /// Code of what keeps it from going on at the moment, for this site's eyes.
    pub delay: Option<String>,
    /// When it arrived.
    pub offered_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// Who let it run.
    pub run_by: Option<String>,
}

impl Job {
    /// The job's id: its round.
    #[must_use]
    pub const fn round(&self) -> &RoundId {
        &self.dispatch.round
    }
}

fn job_of(row: &SqliteRow) -> Result<Job, Error> {
    let state: String = row.try_get("state")?;
    let state = JobState::ALL.into_iter().find(|candidate| candidate.as_str() == state);
    Ok(Job {
        dispatch: json(row, "dispatch")?,
        protocol: row.try_get("protocol")?,
        state: state.ok_or_else(|| damaged("state"))?,
        lease_epoch: count(row, "lease_epoch")?,
        note: row.try_get("note")?,
        delay: row.try_get("delay")?,
        offered_at: moment(row, "offered_at_ms")?,
        changed_at: moment(row, "changed_at_ms")?,
        run_by: row.try_get("run_by")?,
    })
}

/// Moves a job to a state: nothing delays it any more. `false` where it is in none of `from`.
pub(crate) async fn shift(
    connection: &mut SqliteConnection,
    round: &RoundId,
    from: &[JobState],
    to: JobState,
    now: Timestamp,
) -> Result<bool, Error> {
    let from: Vec<&str> = from.iter().map(|state| state.as_str()).collect();
    let done = sqlx::query(
        "-- job: shift
         UPDATE jobs SET state = ?3, changed_at_ms = ?4, delay = NULL
         WHERE round_id = ?1 AND state IN (SELECT value FROM json_each(?2))",
    )
    .bind(round.as_str())
    .bind(to_json(&from)?)
    .bind(to.as_str())
    .bind(now.unix_millis())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

impl Vault {
    /// Records a job. `false` where the round is known.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn job_insert(&self, job: &NewJob, now: Timestamp) -> Result<bool, VaultError> {
        let tag = VaultError::during("job_insert");
        let done = sqlx::query(
            "-- job_insert
             INSERT INTO jobs
                 (round_id, dispatch, protocol, state, lease_epoch, offered_at_ms, changed_at_ms)
             VALUES (?1, ?2, ?3, 'offered', 0, ?4, ?4)
             ON CONFLICT (round_id) DO NOTHING",
        )
        .bind(job.dispatch.round.as_str())
        .bind(to_json(&job.dispatch).map_err(&tag)?)
        .bind(&job.protocol)
        .bind(now.unix_millis())
        .execute(&self.pool)
        .await
        .map_err(&tag)?;
        Ok(done.rows_affected() == 1)
    }

    /// Every job, oldest first.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn job_list(&self) -> Result<Vec<Job>, VaultError> {
        let tag = VaultError::during("job_list");
        let rows = sqlx::query("-- job_list\nSELECT * FROM jobs ORDER BY offered_at_ms, round_id")
            .fetch_all(&self.pool)
            .await
            .map_err(&tag)?;
        rows.iter().map(job_of).collect::<Result<_, _>>().map_err(&tag)
    }

    /// One job.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn job_find(&self, round: &RoundId) -> Result<Option<Job>, VaultError> {
        let tag = VaultError::during("job_find");
        let row = sqlx::query("-- job_find\nSELECT * FROM jobs WHERE round_id = ?1")
            .bind(round.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(&tag)?;
        row.as_ref().map(job_of).transpose().map_err(&tag)
    }

    /// Moves a job from one state to another. `false` where it is not in the first: another process
    /// was faster, and decided.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn job_move(
        &self,
        round: &RoundId,
        from: JobState,
        to: JobState,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let tag = VaultError::during("job_move");
        let mut connection = self.pool.acquire().await.map_err(&tag)?;
        shift(&mut connection, round, &[from], to, now).await.map_err(&tag)
    }

    /// Lets an offered job run. `false` where it was decided before.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn job_approve(
        &self,
        round: &RoundId,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let tag = VaultError::during("job_approve");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let (from, to) = ([JobState::Offered], JobState::Approved);
        let approved = shift(&mut tx, round, &from, to, now).await.map_err(&tag)?;
        if approved {
            sqlx::query("-- job_approve\nUPDATE jobs SET run_by = ?2 WHERE round_id = ?1")
                .bind(round.as_str())
                .bind(by)
                .execute(&mut *tx)
                .await
                .map_err(&tag)?;
        }
        tx.commit().await.map_err(&tag)?;
        Ok(approved)
    }

    /// Leaves the code of why the job is answered as it is, for the people of this site to read.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn job_note(&self, round: &RoundId, note: &str) -> Result<(), VaultError> {
        sqlx::query("-- job_note\nUPDATE jobs SET note = ?2 WHERE round_id = ?1")
            .bind(round.as_str())
            .bind(note)
            .execute(&self.pool)
            .await
            .map_err(VaultError::during("job_note"))?;
        Ok(())
    }

    /// Says what keeps the job from going on; `None` once it goes on.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn job_delay(&self, round: &RoundId, delay: Option<&str>) -> Result<(), VaultError> {
        sqlx::query("-- job_delay\nUPDATE jobs SET delay = ?2 WHERE round_id = ?1")
            .bind(round.as_str())
            .bind(delay)
            .execute(&self.pool)
            .await
            .map_err(VaultError::during("job_delay"))?;
        Ok(())
    }

    /// Records the lease that the coordinator granted.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn job_set_lease(&self, round: &RoundId, epoch: u64) -> Result<(), VaultError> {
        sqlx::query("-- job_set_lease\nUPDATE jobs SET lease_epoch = ?2 WHERE round_id = ?1")
            .bind(round.as_str())
            .bind(i64::try_from(epoch).unwrap_or(i64::MAX))
            .execute(&self.pool)
            .await
            .map_err(VaultError::during("job_set_lease"))?;
        Ok(())
    }

    /// Ends a job whose round was closed before this site answered. `false` where it had answered.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn job_cancel(&self, round: &RoundId, now: Timestamp) -> Result<bool, VaultError> {
        let tag = VaultError::during("job_cancel");
        let mut connection = self.pool.acquire().await.map_err(&tag)?;
        let (from, to) = (JobState::UNANSWERED, JobState::Cancelled);
        shift(&mut connection, round, &from, to, now).await.map_err(&tag)
    }
}
