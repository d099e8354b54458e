//! A vault in a folder of its own, with one job and what could be sent of it.

#![allow(dead_code, reason = "each test binary uses its own part")]

#[path = "../../../../common/study/tests/support/mod.rs"]
mod support;

use std::path::PathBuf;

use fedval_ambient::{Clock as _, MockClock, Problem as _, Timestamp};
use fedval_disclosure::{
    Evidence, Gate, History, NoAggregates, Releasable, SiteLocal, SitePolicy, Vetted,
};
use fedval_study::{Dispatch, ResultHeader, RoundId, Sha256Digest, SiteResult};
use fedval_vault::{Approval, Job, JobState, NewJob, Vault};
use sqlx::SqlitePool;
use tempfile::TempDir;

/// A vault on disk.
pub(crate) struct Shelf {
    folder: TempDir,
    pub(crate) clock: MockClock,
    pub(crate) vault: Vault,
}

impl Shelf {
    /// An empty vault.
    pub(crate) async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("vault.db")).await.unwrap();
        Self { folder, clock: MockClock::default(), vault }
    }

    /// A vault with the job [`round`].
    pub(crate) async fn with_a_job() -> Self {
        let shelf = Self::empty().await;
        assert!(shelf.vault.job_insert(&new_job("chest-r1"), shelf.now()).await.unwrap());
        shelf
    }

    /// A vault whose job has a result that waits for its release.
    pub(crate) async fn with_a_result() -> Self {
        let shelf = Self::with_a_job().await;
        assert!(shelf.put(&released("chest-r1")).await);
        shelf
    }

    /// A vault with a committed result.
    pub(crate) async fn with_a_release() -> Self {
        let shelf = Self::with_a_result().await;
        shelf.commit(&released("chest-r1")).await.unwrap();
        shelf
    }

    /// A vault with `rounds` results that were sent and one that was only committed.
    pub(crate) async fn with_a_history(rounds: usize) -> Self {
        let shelf = Self::empty().await;
        for index in 1..=rounds + 1 {
            let name = format!("chest-r{index}");
            let round: RoundId = name.parse().unwrap();
            shelf.vault.job_insert(&new_job(&name), shelf.now()).await.unwrap();
            let vetted = released_beside(&name, &shelf.vault.history().await.unwrap());
            shelf.put(&vetted).await;
            shelf.commit(&vetted).await.unwrap();
            shelf.clock.advance_seconds(60);
            if index <= rounds {
                shelf.vault.sent_record(&round, vetted.digest(), shelf.now()).await.unwrap();
            }
        }
        shelf
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("vault.db")
    }

    /// The same file, as another process or a later life of the agent sees it.
    pub(crate) async fn opened_again(&self) -> Vault {
        Vault::open(&self.file()).await.unwrap()
    }

    /// Lets a job that was offered run and puts `vetted` as its result.
    pub(crate) async fn put(&self, vetted: &Vetted<SiteResult>) -> bool {
        let (from, to) = (JobState::Offered, JobState::Running);
        let round = &vetted.value().header.round;
        self.vault.job_move(round, from, to, self.now()).await.unwrap();
        self.vault.vetted_put(vetted, self.now()).await.unwrap()
    }

    pub(crate) async fn job(&self, round: &RoundId) -> Job {
        self.vault.job_find(round).await.unwrap().unwrap()
    }

    pub(crate) async fn state(&self) -> JobState {
        self.job(&round()).await.state
    }

    /// Commits exactly `vetted`, as a steward who looked at it; the code of what refuses it.
    pub(crate) async fn commit(&self, vetted: &Vetted<SiteResult>) -> Result<(), &'static str> {
        let approval = approval(vetted);
        let round = &vetted.value().header.round;
        let done = self.vault.release_commit(round, &approval, self.now()).await;
        done.map_err(|error| error.code())
    }

    /// The bytes that could be sent for [`round`].
    pub(crate) async fn sendable(&self) -> Option<Vec<u8>> {
        sendable(&self.vault).await
    }

    /// Changes the file as somebody would who is not this program.
    pub(crate) async fn tamper(&self, sql: &str) {
        let url = format!("sqlite://{}", self.file().display());
        let pool = SqlitePool::connect(&url).await.unwrap();
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        assert!(done.rows_affected() > 0, "changed nothing: {sql}");
        pool.close().await;
    }
}

/// What `vault` would send for [`round`].
pub(crate) async fn sendable(vault: &Vault) -> Option<Vec<u8>> {
    let releasable = Releasable::from_ledger(vault, &round()).await.unwrap();
    releasable.map(|releasable| releasable.bytes().to_vec())
}

/// A steward's approval of exactly `vetted`, under the policy that it was vetted with.
pub(crate) fn approval(vetted: &Vetted<SiteResult>) -> Approval {
    let policy = vetted.value().header.policy;
    Approval { digest: vetted.digest(), approver: "dr-no".to_owned(), policy }
}

pub(crate) fn round() -> RoundId {
    "chest-r1".parse().unwrap()
}

pub(crate) fn new_job(round: &str) -> NewJob {
    let locked = support::locked();
    let protocol = locked.bytes().to_vec();
    NewJob {
        dispatch: Dispatch {
            study: locked.protocol().id.clone(),
            protocol_version: 1,
            round: round.parse().unwrap(),
            site: "site-a".parse().unwrap(),
            protocol: locked.digest(),
            protocol_bytes: protocol.len() as u64,
            model: locked.protocol().model.digest,
            model_bytes: locked.protocol().model.bytes,
            issued_at_ms: 0,
            nonce: Sha256Digest::of(round.as_bytes()),
        },
        protocol,
    }
}

pub(crate) fn header(round: &str) -> ResultHeader {
    let header = support::header(&support::locked(), "site-a");
    ResultHeader { round: round.parse().unwrap(), ..header }
}

/// A result with aggregates, through the gate, of a site that never answered before.
pub(crate) fn released(round: &str) -> Vetted<SiteResult> {
    released_beside(round, &SiteLocal::new(History::default()))
}

/// A result with aggregates, through the gate, beside earlier answers.
pub(crate) fn released_beside(round: &str, history: &SiteLocal<History>) -> Vetted<SiteResult> {
    let locked = support::locked();
    let policy = b"profile = \"standard\"\nk = 11\nreleases_per_year = 1000\n";
    let policy = SitePolicy::parse(policy).unwrap();
    let gate = Gate::new(policy.for_study(locked.protocol()), locked.protocol());
    let summary = SiteLocal::new(support::summary(&support::large(), locked.protocol()));
    gate.vet(
        header(round),
        &Evidence { summary: &summary, history, now_ms: 0, noise_seed: [7; 32] },
    )
    .unwrap()
}

/// An answer without aggregates that was not computed from data.
pub(crate) fn plain(round: &str, answer: NoAggregates) -> Vetted<SiteResult> {
    let header = ResultHeader { cohort: None, ..header(round) };
    Vetted::without_aggregates(header, answer, None).unwrap()
}

/// An answer without aggregates about an opened cohort.
pub(crate) fn insufficient(round: &str) -> Vetted<SiteResult> {
    Vetted::without_aggregates(header(round), NoAggregates::Insufficient, None).unwrap()
}
