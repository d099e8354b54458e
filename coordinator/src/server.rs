//! The accept loop: TLS handshakes beside each other, then gRPC.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Exit, Failure, OsEntropy, SystemClock};
use fedval_core::Coordinator;
use fedval_store::{FolderArtifacts, SqliteStore};
use fedval_trust::tls;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;

use crate::changes::Changes;
use crate::home::Home;
use crate::rpc;

/// A peer that does not finish its handshake by then is dropped.
const HANDSHAKE_SECONDS: u64 = 10;
/// A silent connection is probed after this long.
const KEEPALIVE_SECONDS: u64 = 30;
/// How long calls in progress may take once the server was told to stop.
const DRAIN_SECONDS: u64 = 3;
/// Handshaken connections waiting for the gRPC server.
const ACCEPT_QUEUE: usize = 64;

type Accepted = std::io::Result<TlsStream<TcpStream>>;

/// Serves until the process is told to stop.
pub(crate) async fn serve(home: &Home) -> Result<(), Failure> {
    let config = home.config()?;
    let coordinator = open(home).await?;
    let (server_key, server_certificate) = home.pair("server")?;
    let tls = tls::server_config(coordinator.root(), &server_certificate, &server_key).map_err(
        |error| {
            Failure::new(
                Exit::Machine,
                "TLS",
                error.to_string(),
                "run `fedval init` in a new folder",
            )
        },
    )?;
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        Failure::new(
            Exit::Machine,
            "LISTEN",
            format!("cannot listen on {}: {error}", config.listen),
            "stop the other process on that port, or change `listen` in fedval.toml",
        )
    })?;
    tracing::info!(listen = %config.listen, url = %config.url, "coordinator started");
    let (sender, incoming) = mpsc::channel(ACCEPT_QUEUE);
    tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), sender));
    let changes = Changes::new();
    tokio::spawn(changes.clone().watch(coordinator.clone()));
    let stopping = Arc::new(Notify::new());
    let drained = {
        let stopping = Arc::clone(&stopping);
        rpc::router(&coordinator, &changes, Duration::from_secs(KEEPALIVE_SECONDS))
            .serve_with_incoming_shutdown(ReceiverStream::new(incoming), async move {
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

async fn open(home: &Home) -> Result<Coordinator, Failure> {
    let identity = home.identity()?;
    let store = SqliteStore::open(&home.database()).await?;
    let folder = home.artifacts();
    let artifacts = FolderArtifacts::open(&folder)
        .map_err(|error| Failure::disk("open", &folder, &std::io::Error::other(error)))?;
    Ok(Coordinator::new(
        Arc::new(store),
        Arc::new(artifacts),
        Arc::new(identity),
        Arc::new(SystemClock),
        Arc::new(OsEntropy),
    ))
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, sender: mpsc::Sender<Accepted>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, mostly: wait for some to close instead of spinning.
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            let handshake = async {
                stream.set_nodelay(true)?;
                acceptor.accept(stream).await
            };
            let limit = Duration::from_secs(HANDSHAKE_SECONDS);
            match tokio::time::timeout(limit, handshake).await {
                Ok(Ok(stream)) => drop(sender.send(Ok(stream)).await),
                Ok(Err(error)) => tracing::debug!(%error, "handshake failed"),
                Err(_) => tracing::debug!("handshake timed out"),
            }
        });
    }
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
