//! `fedval serve`: opens what is durable, starts the background jobs, lets connections in, and stops
//! when told.

mod accept;
mod admission;
mod connection;
mod handshake;
mod open;
mod pages;
mod reload;
mod renewal;
mod system;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use fedval_ambient::exposition::Exposition;
use fedval_ambient::{Exit, Failure, OsEntropy, SystemClock};
use fedval_core::Coordinator;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::changes::Changes;
use crate::config::Config;
use crate::health::Health;
use crate::home::Home;
use crate::metrics::Metrics;
use crate::rpc;

use accept::Door;
use admission::Admission;
use reload::Reload;
use renewal::Renewal;

/// How long calls in progress may take once the server was told to stop.
const DRAIN_SECONDS: u64 = 3;
/// Handshaken connections waiting for the gRPC server.
const ACCEPT_QUEUE: usize = 64;

/// Serves until the process is told to stop.
pub(crate) async fn serve(home: &Home) -> Result<(), Failure> {
    let config = home.config()?;
    let coordinator = open::open(home, &config).await?;
    let metrics = Metrics::new();
    let reload = Reload::begin(home, coordinator.root(), &metrics)?;
    system::allow_descriptors(config.max_connections);
    let page = match config.metrics {
        Some(address) => Some(Exposition::bind(address).await?),
        None => None,
    };
    let listener = listen(config.listen).await?;
    let pages = pages::open(home, &config).await?;
    let pages_url = config.pages()?.map(|pages| pages.url);
    let (sender, incoming) = mpsc::channel(ACCEPT_QUEUE);
    let changes = Changes::new();
    let health = Health::new(coordinator.clone(), metrics.clone());
    let router =
        rpc::router(&coordinator, &changes, &metrics, &health, pages_url).map_err(|error| {
            Failure::new(Exit::Bug, "SERVER", error.to_string(), "report this with the log")
        })?;
    if let Some(door) = pages {
        tokio::spawn(door.serve(crate::pages::router(&coordinator, &changes)));
    }
    start_jobs(home, coordinator, changes, health, &reload);
    if let Some(page) = page {
        tokio::spawn(page.serve(Arc::new(metrics.clone())));
    }
    let door = Door {
        tls: reload.current(),
        admission: Admission::new(&config),
        metrics,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        incoming: sender,
        last_said: AtomicI64::new(0),
    };
    tokio::spawn(reload.watch());
    say_started(&config);
    tokio::spawn(Arc::new(door).accept(listener));
    let stopping = Arc::new(Notify::new());
    let drained = {
        let stopping = Arc::clone(&stopping);
        router.serve_with_incoming_shutdown(ReceiverStream::new(incoming), async move {
            stop_signal().await;
            stopping.notify_one();
        })
    };
    tokio::select! {
        ended = drained => ended.map_err(|error| {
            Failure::new(Exit::Bug, "SERVER", error.to_string(), "report this with the log")
        }),
        // Agents hold their streams for ever: after a moment for calls in progress, they are cut.
        () = async {
            stopping.notified().await;
            tokio::time::sleep(Duration::from_secs(DRAIN_SECONDS)).await;
        } => Ok(()),
    }
}

fn start_jobs(
    home: &Home,
    coordinator: Coordinator,
    changes: Changes,
    health: Health,
    reload: &Reload,
) {
    let renewal = Renewal {
        home: home.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        look: reload.bell(),
    };
    tokio::spawn(renewal.watch());
    tokio::spawn(health.watch());
    tokio::spawn(changes.watch(coordinator));
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(
            Exit::Machine,
            "LISTEN",
            format!("cannot listen on {address}: {error}"),
            "stop the other process on that port, or change `listen` in fedval.toml",
        )
    })
}

fn say_started(config: &Config) {
    let Config { listen, url, metrics, .. } = config;
    let metrics = metrics.map(tracing::field::display);
    tracing::info!(%listen, %url, metrics, "coordinator started");
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("coordinator stopping");
}
