//! A site's own inference server, which speaks the Open Inference Protocol, version 2, over gRPC: Triton,
//! OpenVINO Model Server, KServe, MLServer.
//!
//! It is this site's, and outside the box: what it runs is what this site's people loaded there. That it is
//! the protocol's model cannot be proven from here, so a person says so by its digest, and a second engine
//! beside it shows it. It is sent the tensor, and nothing else of a case; no answer's text is read.

mod error;
mod infer;
mod metadata;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fedval_proto::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use fedval_proto::inference::{ModelReadyRequest, ServerLiveRequest, ServerReadyRequest};
use fedval_study::digest::Sha256Digest;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Uri};
use tonic::{Code, Status};

pub use error::ServerError;
pub use infer::ServedModel;

use crate::answer::Wanted;
use crate::error::LoadError;

/// Time to connect, TLS included.
const CONNECTING: Duration = Duration::from_secs(10);

/// Longest answer: as many values as a model may have, as 64-bit floats, with room for names.
const MOST_ANSWER_BYTES: usize = 1 << 20;

/// The same where a mask is answered, whose size is the protocol's.
fn most_answer_bytes(wanted: &Wanted) -> usize {
    let values = match wanted {
        Wanted::Scores(_) | Wanted::Boxes(_) => 0,
        Wanted::Mask(_) => wanted.most_values(),
    };
    values.saturating_mul(size_of::<f64>()).saturating_add(MOST_ANSWER_BYTES)
}

/// Longest headers of an answer.
const MOST_HEADER_BYTES: u32 = 16 << 10;

/// A connected client.
type Client = GrpcInferenceServiceClient<Channel>;

/// How a server calls a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedName {
    /// Its name there.
    pub name: String,
    /// Its version there; empty for the server's choice.
    pub version: String,
}

/// An inference server as this site's steward describes it.
#[derive(Clone)]
pub struct ServerSettings {
    /// `https://HOST:PORT`; `http://` on this machine alone; `unix:///PATH`.
    pub address: String,
    /// Authorities in PEM that may certify it. Not looked at without TLS.
    pub authorities: Vec<u8>,
    /// What it serves, by the digest of the file that was loaded there.
    pub models: BTreeMap<Sha256Digest, ServedName>,
    /// Requests beside each other, over all lanes; at least one.
    pub parallel_requests: usize,
}

/// An inference server that nobody has asked yet.
#[derive(Clone)]
pub struct ModelServer {
    endpoint: Arc<Endpoint>,
    models: Arc<BTreeMap<Sha256Digest, ServedName>>,
    permits: Arc<Semaphore>,
}

impl fmt::Debug for ModelServer {
    /// Without the address, in which somebody may have written a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelServer(..)")
    }
}

impl ModelServer {
    /// The server that `settings` describe.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub fn new(settings: ServerSettings) -> Result<Self, ServerError> {
        let is_tls = is_tls(&settings.address)?;
        let endpoint = Endpoint::from_shared(settings.address);
        let mut endpoint = endpoint
            .map_err(|_| ServerError::BadAddress)?
            .connect_timeout(CONNECTING)
            .http2_max_header_list_size(MOST_HEADER_BYTES);
        if is_tls {
            let trusted = ClientTlsConfig::new()
                .ca_certificate(authorities(&settings.authorities)?)
                .timeout(CONNECTING);
            endpoint = endpoint.tls_config(trusted).map_err(|_| ServerError::BadAuthority)?;
        }
        Ok(Self {
            endpoint: Arc::new(endpoint),
            models: Arc::new(settings.models),
            permits: Arc::new(Semaphore::new(settings.parallel_requests.max(1))),
        })
    }

    /// Whether the server answers and serves every model that was confirmed.
    ///
    /// # Errors
    ///
    /// [`LoadError`], of its kinds that wait.
    pub async fn check(&self) -> Result<(), LoadError> {
        let looked = async {
            let mut client = self.ready().await?;
            for model in self.models.values() {
                serves(&mut client, model).await?;
            }
            Ok(())
        };
        timeout(CONNECTING * 3, looked).await.unwrap_or(Err(LoadError::ServerUnreachable))
    }

    /// How the server calls the model of a digest.
    pub(crate) fn served(&self, digest: &Sha256Digest) -> Option<&ServedName> {
        self.models.get(digest)
    }

    /// A client of the server, which answers that it serves.
    async fn ready(&self) -> Result<Client, LoadError> {
        let channel = self.endpoint.connect().await.map_err(|_| LoadError::ServerUnreachable)?;
        let mut client = Client::new(channel).max_decoding_message_size(MOST_ANSWER_BYTES);
        let live = client.server_live(ServerLiveRequest {}).await.map_err(|s| load_error(&s))?;
        let ready = client.server_ready(ServerReadyRequest {}).await.map_err(|s| load_error(&s))?;
        if live.get_ref().live && ready.get_ref().ready {
            Ok(client)
        } else {
            Err(LoadError::ServerNotReady)
        }
    }
}

/// Whether the server serves `model`.
async fn serves(client: &mut Client, model: &ServedName) -> Result<(), LoadError> {
    let ServedName { name, version } = model.clone();
    let asked = client.model_ready(ModelReadyRequest { name, version }).await;
    match asked {
        Ok(answer) if answer.get_ref().ready => Ok(()),
        Ok(_) => Err(LoadError::ServerNotReady),
        Err(status) => Err(load_error(&status)),
    }
}

/// What a server's refusal means. Its text is not looked at: it could be long, and of anything.
fn load_error(status: &Status) -> LoadError {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted => {
            LoadError::ServerUnreachable
        }
        // MLServer says that of a model it does not have.
        Code::NotFound | Code::Unknown => LoadError::ServerNotReady,
        _ => LoadError::ServerRefused,
    }
}

/// Whether the address is spoken to by TLS. Without it, only this machine is.
fn is_tls(address: &str) -> Result<bool, ServerError> {
    if let Some(path) = address.strip_prefix("unix://") {
        return if path.starts_with('/') { Ok(false) } else { Err(ServerError::BadAddress) };
    }
    let uri: Uri = address.parse().map_err(|_| ServerError::BadAddress)?;
    let authority = uri.authority().ok_or(ServerError::BadAddress)?;
    let is_plain = uri.path() == "/" && uri.query().is_none();
    if authority.as_str().contains('@') || authority.port_u16().is_none() || !is_plain {
        return Err(ServerError::BadAddress);
    }
    match uri.scheme_str() {
        Some("https") => Ok(true),
        Some("http") if is_here(authority.host()) => Ok(false),
        Some("http") => Err(ServerError::WithoutTls),
        _ => Err(ServerError::BadAddress),
    }
}

/// A name that is looked up could be anybody's, all but one.
fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|host: std::net::IpAddr| host.is_loopback())
}

/// At least one certificate, and nothing that is none.
fn authorities(pem: &[u8]) -> Result<Certificate, ServerError> {
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        certificate.map_err(|_| ServerError::BadAuthority)?;
        found += 1;
    }
    if found == 0 { Err(ServerError::BadAuthority) } else { Ok(Certificate::from_pem(pem)) }
}

#[cfg(test)]
mod tests {
    use fedval_ambient::Problem as _;

    use super::*;

    fn settings(address: &str) -> ServerSettings {
        ServerSettings {
            address: address.to_owned(),
            authorities: Vec::new(),
            models: BTreeMap::new(),
            parallel_requests: 1,
        }
    }

    fn code(address: &str) -> &'static str {
        let refused = ModelServer::new(settings(address)).unwrap_err();
        let told = format!("{refused} {refused:?} {:?}", refused.remedy());
        assert!(!told.contains("hunter2"), "{told}");
        refused.code()
    }

    #[test]
    fn without_tls_only_this_machine_is_spoken_to() {
        for here in
            ["http://127.0.0.1:8001", "http://[::1]:8001", "http://localhost:1", "unix:///run/a"]
        {
            assert!(ModelServer::new(settings(here)).is_ok(), "{here}");
        }
        for there in
            ["http://10.0.0.7:8001", "http://triton.test:8001", "http://localhost.test:8001"]
        {
            assert_eq!(code(there), "MODEL_SERVER_WITHOUT_TLS", "{there}");
        }
        // TLS without anybody who is trusted would trust nobody, and say so late.
        assert_eq!(code("https://triton.test:8001"), "MODEL_SERVER_CA_INVALID");
        let garbage = ServerSettings {
            authorities: b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_vec(),
            ..settings("https://triton.test:8001")
        };
        assert_eq!(ModelServer::new(garbage).unwrap_err(), ServerError::BadAuthority);
    }

    #[test]
    fn an_address_is_a_host_and_a_port_or_a_socket_and_nothing_more() {
        for bad in [
            "",
            "127.0.0.1:8001",
            "http://127.0.0.1",
            "http://dr:hunter2@127.0.0.1:8001",
            "http://127.0.0.1:8001/v2/models?key=hunter2",
            "ftp://127.0.0.1:21",
            "unix://hunter2",
        ] {
            assert_eq!(code(bad), "MODEL_SERVER_ADDRESS_INVALID", "{bad}");
        }
        let server = ModelServer::new(settings("http://127.0.0.1:8001")).unwrap();
        assert_eq!(format!("{server:?}"), "ModelServer(..)");
    }
}
