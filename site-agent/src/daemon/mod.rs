//! `fedval-agent run`: one task holds the stream, two work on jobs, one renews the certificate. The
//! vault is all they share with each other and with the steward's commands; the bell says when to look.
//!
//! Public for the suites that drive the same steps on a clock of their own: one without a network and without boxes, one
//! with both.

mod answer_time;
mod backoff;
mod bell;
mod conversation;
mod evaluator;
mod forbidden;
mod instance;
mod intake;
mod job;
mod ledger_mark;
mod link;
mod log;
mod observe;
mod renewal;
mod session;
mod to_mend;
mod worker;

use std::fs::File;
use std::io::Read as _;
use std::sync::{Arc, OnceLock};

use fedval_ambient::{Clock, Entropy, Exit, Failure, OsEntropy, SystemClock};
use fedval_egress::Connection;
use fedval_study::{BuildDigest, Sha256Digest, StudyId};
use fedval_vault::{Job, Vault};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

pub use bell::Bell;
pub use conversation::Conversation;
pub use evaluator::{Boxed, Evaluator, NotEvaluated, Summarised};
pub use fedval_evaluate::ScoreGrid;
pub use link::Link;
pub use worker::{Way, Worker};

use crate::config::Config;
pub use crate::home::{Home, Identity};
use crate::metrics::Metrics;
use crate::site_policy;

/// What a running agent works with.
#[derive(Debug)]
pub struct Agent {
    home: Home,
    config: Config,
    identity: Identity,
    certificate: renewal::Current,
    vault: Vault,
    build: BuildDigest,
    bell: Bell,
    evaluator: Arc<dyn Evaluator>,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Agent {
    /// An agent of an enrolled site's folder.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the folder holds no enrolled site, or the disk fails.
    pub async fn open(
        home: Home,
        evaluator: Arc<dyn Evaluator>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Failure> {
        let identity = home.identity()?;
        let config = home.config()?;
        let certificate = renewal::Current::new(identity.certificate.clone());
        let vault = home.vault().await?;
        let (build, bell) = (own_digest()?, Bell::default());
        let agent = Self {
            home,
            config,
            identity,
            certificate,
            vault,
            build,
            bell,
            evaluator,
            metrics: Metrics::default(),
            clock,
            entropy,
        };
        Ok(agent)
    }

    /// The site's durable state.
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Rings when the vault may have changed.
    #[must_use]
    pub const fn bell(&self) -> &Bell {
        &self.bell
    }

    fn is_paused(&self) -> bool {
        self.home.paused_file().exists()
    }

    /// Name of the data source that serves a study; empty where none does.
    fn source_name(&self, study: &StudyId) -> &str {
        self.config.source_of(study).map_or("", |source| source.name.as_str())
    }

    /// Whether a study's images may be asked for now.
    fn is_open_for(&self, study: &StudyId) -> bool {
        let source = self.config.source_of(study);
        source.is_none_or(|source| source.is_open_at(self.clock.minute_of_day()))
    }
}

/// Runs until the process is told to stop.
pub(crate) async fn run(
    home: Home,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<(), Failure> {
    home.enrolled()?;
    let _lock = lock(&home)?;
    let agent = Arc::new(Agent::open(home, Arc::new(Boxed), clock, entropy).await?);
    agent.vault.journal_verify().await?;
    let instance = instance::begin(&agent.home, agent.entropy.as_ref());
    let coordinator = agent.config.coordinator.dialer()?;
    // What is wrong with a data source is told now, and not when a round comes: then its jobs wait, and
    // those of the others go on.
    for source in &agent.config.data_sources {
        if let Err(failure) = source.pacs(&agent.config.limits) {
            tracing::error!(code = failure.code, "a data source cannot be used");
        }
    }
    tracing::info!(site = %agent.identity.site, "agent started");
    let (connected, connection) = watch::channel::<Option<Connection>>(None);
    let (way, ways) = watch::channel::<Option<Arc<dyn Link>>>(None);
    tokio::select! {
        ended = session::hold(Arc::clone(&agent), coordinator, instance, connected) => ended,
        ended = worker::work(Arc::clone(&agent), ways) => ended,
        ended = renewal::renew(&agent, connection.clone()) => ended,
        ended = observe::serve(&agent, connection.clone()) => ended,
        () = lead_the_way(connection, way) => Ok(()),
        () = agent.bell.ring_for(agent.home.watched_files()) => Ok(()),
        () = stop_signal() => Ok(()),
    }
}

/// Shows the workers each new connection as what they need of it.
async fn lead_the_way(
    mut connection: watch::Receiver<Option<Connection>>,
    way: watch::Sender<Option<Arc<dyn Link>>>,
) {
    loop {
        let current = connection.borrow_and_update().clone();
        way.send_replace(current.map(|connection| Arc::new(connection) as Arc<dyn Link>));
        if connection.changed().await.is_err() {
            return;
        }
    }
}

/// One identity, one running agent: a second one on this folder is refused.
fn lock(home: &Home) -> Result<File, Failure> {
    let path = home.lock_file();
    let file = File::create(&path).map_err(|error| Failure::disk("create", &path, &error))?;
    file.try_lock().map_err(|_| {
        Failure::new(
            Exit::Usage,
            "ALREADY_RUNNING",
            format!("another agent runs on {}", home.folder().display()),
            "stop it first, or use the one that runs",
        )
    })?;
    Ok(file)
}

/// SHA-256 of the running executable: results name it. Read once: it does not change while it runs.
pub(crate) fn own_digest() -> Result<BuildDigest, Failure> {
    static OWN: OnceLock<BuildDigest> = OnceLock::new();
    if let Some(known) = OWN.get() {
        return Ok(*known);
    }
    let path = std::path::Path::new("/proc/self/exe");
    let digest = File::open(path).and_then(digest_of);
    let digest = digest.map_err(|error| Failure::disk("read", path, &error))?;
    Ok(*OWN.get_or_init(|| BuildDigest(digest)))
}

/// Piece by piece: the executable is the largest thing that an agent would ever hold in memory.
fn digest_of(mut file: File) -> std::io::Result<Sha256Digest> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(Sha256Digest::from_bytes(hash.finalize().into())),
            read => hash.update(&piece[..read]),
        }
    }
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("agent stopping");
}

/// Refuses a job on a steward's word; the running agent sends the refusal. `false` where the job was
/// answered meanwhile.
pub(crate) async fn decline(home: &Home, vault: &Vault, job: &Job) -> Result<bool, Failure> {
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
    let agent = Agent::open(home.clone(), Arc::new(Boxed), clock, entropy).await?;
    let agent = Agent { vault: vault.clone(), ..agent };
    let policy = site_policy::load(home, &agent.identity).ok();
    job::refuse(&agent, job, "steward", policy.map(|policy| policy.digest())).await
}

#[cfg(test)]
mod tests;
