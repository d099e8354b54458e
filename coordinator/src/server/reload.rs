//! Background job: takes up a new server key and certificate when they change on disk, every few
//! seconds and on SIGHUP. A pair that does not fit is not taken up; the old one stays.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Clock as _, Exit, Failure, SystemClock, Timestamp};
use fedval_trust::{Certificate, Role, SecretKey, tls};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio_rustls::rustls::ServerConfig;

use crate::home::Home;
use crate::metrics::Metrics;

const LOOK_SECONDS: u64 = 10;

/// What was found on disk, whether it could be used or not.
type Found = Result<(Vec<u8>, Vec<u8>), String>;

/// The pair in use, and where a new one is looked for.
#[derive(Debug)]
pub(super) struct Reload {
    home: Home,
    root: Certificate,
    metrics: Metrics,
    current: watch::Sender<Arc<ServerConfig>>,
    seen: Found,
    bell: Arc<Notify>,
    hangup: Signal,
}

impl Reload {
    /// Loads the first pair, which must fit. One that ran out is renewed as soon as the server runs.
    /// From here on SIGHUP is heard: before, it would end the process.
    pub(super) fn begin(
        home: &Home,
        root: &Certificate,
        metrics: &Metrics,
    ) -> Result<Self, Failure> {
        let pair = home.pair("server")?;
        let (config, certificate) = fitting(root, &pair, None)?;
        metrics.certificate_expires(certificate.not_after());
        Ok(Self {
            home: home.clone(),
            root: root.clone(),
            metrics: metrics.clone(),
            current: watch::Sender::new(config),
            seen: found(Ok(&pair)),
            bell: Arc::default(),
            hangup: signal(SignalKind::hangup()).map_err(|error| no_signals(&error))?,
        })
    }

    /// What the next handshake uses.
    pub(super) fn current(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.current.subscribe()
    }

    /// Rung when the files were changed by this process itself.
    pub(super) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// Looks for as long as the server runs.
    pub(super) async fn watch(mut self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)) => {}
                () = self.bell.notified() => {}
                _ = self.hangup.recv() => {}
            }
            self.look(SystemClock.now());
        }
    }

    fn look(&mut self, now: Timestamp) {
        let pair = self.home.pair("server");
        let found = found(pair.as_ref());
        if found == self.seen {
            return;
        }
        self.seen = found;
        match pair.and_then(|pair| fitting(&self.root, &pair, Some(now))) {
            Ok((config, certificate)) => {
                self.current.send_replace(config);
                self.metrics.certificate_expires(certificate.not_after());
                tracing::info!(not_after = %certificate.not_after(), "server certificate changed");
            }
            Err(failure) => tracing::error!(
                code = failure.code,
                remedy = failure.remedy,
                "new server certificate not used, the old one stays: {}",
                failure.message
            ),
        }
    }
}

fn no_signals(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Machine,
        "SIGNALS",
        format!("cannot listen for signals: {error}"),
        "start fedval where a process may handle its own signals",
    )
}

fn found(pair: Result<&(SecretKey, Certificate), &Failure>) -> Found {
    pair.map(|(key, certificate)| (key.public().as_bytes().to_vec(), certificate.der().to_vec()))
        .map_err(ToString::to_string)
}

/// The pair as TLS uses it, if the consortium's root issued it to a server, and it holds `now`.
fn fitting(
    root: &Certificate,
    (key, certificate): &(SecretKey, Certificate),
    now: Option<Timestamp>,
) -> Result<(Arc<ServerConfig>, Certificate), Failure> {
    let refused = |why: &str| {
        Failure::new(
            Exit::Machine,
            "SERVER_CERTIFICATE",
            format!("pki/server.pem cannot be used: {why}"),
            "restore pki/server.key and pki/server.pem from the same backup",
        )
    };
    let then = now.unwrap_or(certificate.half_life());
    certificate.verify(root, then).map_err(|error| refused(&error.to_string()))?;
    if *certificate.role() != Role::Server {
        return Err(refused("it was not issued to a server"));
    }
    if certificate.public_key() != key.public() {
        return Err(refused("it belongs to another key"));
    }
    let config = tls::server_config(root, certificate, key);
    let config = config.map_err(|error| refused(&error.to_string()))?;
    Ok((Arc::new(config), certificate.clone()))
}
