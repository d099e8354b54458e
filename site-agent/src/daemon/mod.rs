//! `fedval-agent run`: one task holds the stream, one works on jobs. The vault is all they share with
//! each other and with the steward's commands.

mod backoff;
mod intake;
mod job;
mod progress;
mod session;
mod worker;

use std::fs::File;
use std::sync::Arc;

use fedval_ambient::{Clock, Entropy, Exit, Failure, OsEntropy, SystemClock};
use fedval_egress::{Connection, Coordinator};
use fedval_study::{BuildDigest, Sha256Digest};
use fedval_vault::{Job, Vault};
use tokio::sync::watch;

use crate::config::Config;
use crate::home::{Home, Identity};
use crate::site_policy;

/// What both tasks work with.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) home: Home,
    pub(crate) config: Config,
    pub(crate) identity: Identity,
    pub(crate) vault: Vault,
    pub(crate) build: BuildDigest,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// Runs until the process is told to stop.
pub(crate) async fn run(
    home: Home,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<(), Failure> {
    let identity = home.identity()?;
    let config = home.config()?;
    let _lock = lock(&home)?;
    let vault = home.vault().await?;
    vault.journal_verify().await?;
    let coordinator = Coordinator::at(&config.coordinator.url)?;
    let build = own_digest()?;
    tracing::info!(site = %identity.site, "agent started");
    let agent = Arc::new(Agent { home, config, identity, vault, build, clock, entropy });
    let (connected, connection) = watch::channel::<Option<Connection>>(None);
    tokio::select! {
        ended = session::hold(Arc::clone(&agent), coordinator, connected) => ended,
        ended = worker::work(agent, connection) => ended,
        () = stop_signal() => Ok(()),
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

/// SHA-256 of the running executable: results name it.
fn own_digest() -> Result<BuildDigest, Failure> {
    let path = std::path::Path::new("/proc/self/exe");
    let bytes = std::fs::read(path).map_err(|error| Failure::disk("read", path, &error))?;
    Ok(BuildDigest(Sha256Digest::of(&bytes)))
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
    let agent = Agent {
        home: home.clone(),
        config: home.config()?,
        identity: home.identity()?,
        vault: vault.clone(),
        build: own_digest()?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
    };
    let policy = site_policy::load(home, &agent.identity, agent.clock.as_ref());
    let policy = policy.ok().map(|policy| policy.digest());
    job::refuse(&agent, job, "steward", policy).await
}
