//! Where browsers come in: TLS with a certificate that they take, HTTP/1.1, few connections at once.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use fedval_ambient::{Exit, Failure, SystemClock};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::listen;
use crate::config::{Config, PagesConfig};
use crate::home::Home;
use crate::tally::Tally;

/// Connections of browsers at once. More wait in the operating system's queue.
const CONNECTIONS: usize = 256;
/// Of those, from one address: a hospital's browsers may stand behind one.
const OF_ONE_ADDRESS: usize = 64;
/// A connection ends then, whatever it does. Browsers make a new one.
const LIFE: Duration = Duration::from_mins(15);
/// A browser that has not finished a handshake or sent a request's head by then is dropped.
const PATIENCE: Duration = Duration::from_secs(10);

/// A door for browsers.
pub(super) struct Door {
    listener: TcpListener,
    tls: TlsAcceptor,
}

/// Opens the door, if the configuration asks for pages.
pub(super) async fn open(home: &Home, config: &Config) -> Result<Option<Door>, Failure> {
    let Some(pages) = config.pages()? else { return Ok(None) };
    let tls = Arc::new(tls(home, &pages)?);
    let listener = listen(pages.listen).await?;
    tracing::info!(listen = %pages.listen, url = pages.url, "pages are served");
    Ok(Some(Door { listener, tls: TlsAcceptor::from(tls) }))
}

impl Door {
    /// Lets browsers in for as long as the server runs.
    pub(super) async fn serve(self, router: Router) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let addresses = Tally::new(OF_ONE_ADDRESS);
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let (stream, address) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "connection of a browser not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            // One address alone does not keep the others out.
            let Some(held) = addresses.hold(address.ip()) else { continue };
            let (tls, router) = (self.tls.clone(), router.clone());
            tokio::spawn(async move {
                let talk = tokio::time::timeout(LIFE, converse(stream, tls, router)).await;
                if let Ok(Err(reason)) = talk {
                    tracing::debug!(reason, "connection of a browser ended");
                }
                drop((place, held));
            });
        }
    }
}

async fn converse(stream: TcpStream, tls: TlsAcceptor, router: Router) -> Result<(), String> {
    let shaken = tokio::time::timeout(PATIENCE, tls.accept(stream)).await;
    let stream = shaken.map_err(|_| "no handshake in time")?.map_err(|error| error.to_string())?;
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await
        .map_err(|error| error.to_string())
}

/// The organisation's certificate, or one of this server's own that browsers ask about.
fn tls(home: &Home, pages: &PagesConfig) -> Result<ServerConfig, Failure> {
    let (key, chain) = match &pages.certificate {
        Some((key, chain)) => (read(key)?, read(chain)?),
        None => own_pair(home, pages)?,
    };
    fedval_trust::pages::config(&key, &chain).map_err(|error| {
        Failure::new(
            Exit::Machine,
            "PAGES_CERTIFICATE",
            format!("the certificate of the pages cannot be used: {error}"),
            "give a certificate chain and its key, both in PEM, that belong together",
        )
    })
}

/// Made once, and kept: a browser that was told to trust it need not be told again.
fn own_pair(home: &Home, pages: &PagesConfig) -> Result<(String, String), Failure> {
    let [key_file, chain_file] =
        ["pages.key", "pages.pem"].map(|name| home.folder().join("pki").join(name));
    if !key_file.exists() || !chain_file.exists() {
        let names = [pages.host().to_owned()];
        let (key, chain) = fedval_trust::pages::self_signed(&names, &SystemClock)?;
        // A crash may have left one of the two.
        drop((fs::remove_file(&key_file), fs::remove_file(&chain_file)));
        Home::write_new(&key_file, &key)?;
        Home::write_new(&chain_file, &chain)?;
    }
    Ok((read(&key_file)?, read(&chain_file)?))
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::disk("read", file, &error))
}
