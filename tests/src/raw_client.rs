//! Calls to a coordinator as an attacker makes them: with any certificate, from any address of this
//! machine, with any message.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::OsEntropy;
use fedval_proto as proto;
use fedval_proto::agent_event::Event as AgentEvent;
use fedval_proto::artifact_service_client::ArtifactServiceClient;
use fedval_proto::coordinator_event::Event;
use fedval_proto::enrolment_service_client::EnrolmentServiceClient;
use fedval_proto::result_service_client::ResultServiceClient;
use fedval_proto::work_service_client::WorkServiceClient;
use fedval_study::{Canonical, SiteResult};
use fedval_trust::authority::signing_request;
use fedval_trust::{
    Authority, Certificate, InvitationId, InviteToken, PayloadType, SecretKey, dsse, tls,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

/// Longer than any answer takes on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A key, with what is shown as its certificate.
#[derive(Debug, Clone)]
pub struct Party {
    /// The key.
    pub key: SecretKey,
    /// The certificate in DER; nobody checked it.
    pub certificate: Vec<u8>,
}

/// Where a coordinator listens, and its root.
#[derive(Debug, Clone)]
pub struct Target {
    /// The consortium's root.
    pub root: Certificate,
    /// Its port on this machine.
    pub port: u16,
}

/// An agent's stream, held open.
#[derive(Debug)]
pub struct Work {
    /// Says something; dropping it ends the stream.
    pub say: mpsc::Sender<proto::AgentEvent>,
    events: Streaming<proto::CoordinatorEvent>,
}

/// A file of a coordinator's `pki` folder.
fn pki(home: &Path, file: &str) -> String {
    fs::read_to_string(home.join("pki").join(file)).expect("the coordinator's keys are there")
}

/// The consortium's authority, as whoever stole its folder has it.
///
/// # Panics
///
/// If the folder holds none.
#[must_use]
pub fn authority(home: &Path) -> Authority {
    let key = SecretKey::from_pem(&pki(home, "root.key")).expect("a key");
    let root = Certificate::from_pem(&pki(home, "root.pem")).expect("a certificate");
    Authority::from_parts(key, root)
}

impl Target {
    /// The coordinator with this folder.
    ///
    /// # Panics
    ///
    /// If the folder holds no root.
    #[must_use]
    pub fn of(home: &Path, port: u16) -> Self {
        let root = Certificate::from_pem(&pki(home, "root.pem")).expect("a certificate");
        Self { root, port }
    }

    /// A connection that shows this certificate, dialled by the first call.
    ///
    /// # Panics
    ///
    /// If the party's key is none.
    #[must_use]
    pub fn channel(&self, party: &Party) -> Channel {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(party.key.to_der()));
        let key = any_supported_type(&key).expect("an Ed25519 key");
        let chain = [&party.certificate[..], self.root.der()];
        let chain = chain.map(|der| CertificateDer::from(der.to_vec())).to_vec();
        let mut config = self.anonymous_config();
        let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        config.client_auth_cert_resolver = Arc::new(shown);
        self.dial(config, Ipv4Addr::LOCALHOST)
    }

    /// A connection without a certificate, from one of this machine's own addresses.
    #[must_use]
    pub fn anonymous(&self, from: Ipv4Addr) -> Channel {
        self.dial(self.anonymous_config(), from)
    }

    fn anonymous_config(&self) -> ClientConfig {
        tls::enrolment_config(self.root.fingerprint()).expect("TLS 1.3 is there")
    }

    fn dial(&self, config: ClientConfig, from: Ipv4Addr) -> Channel {
        let (config, port) = (Arc::new(config), self.port);
        let origin: Uri = format!("https://localhost:{port}").parse().expect("an address");
        let plain = format!("http://localhost:{port}");
        let endpoint = Endpoint::from_shared(plain).expect("an address").origin(origin);
        endpoint.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
            let config = Arc::clone(&config);
            async move {
                let socket = TcpSocket::new_v4()?;
                socket.bind(SocketAddr::from((from, 0)))?;
                let stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await?;
                tls::handshake(config, "localhost", stream).await.map(TokioIo::new)
            }
        }))
    }
}

/// The stable code of a refusal; empty where the transport refused.
#[must_use]
pub fn reason(refused: &Status) -> String {
    refused.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// Asks for a certificate.
///
/// # Errors
///
/// The refusal.
///
/// # Panics
///
/// If the coordinator certifies something that is no certificate.
pub async fn enrol(
    channel: Channel,
    invitation: InvitationId,
    secret: &[u8],
    key: &SecretKey,
) -> Result<Party, Status> {
    let request = proto::EnrolRequest {
        invitation: invitation.as_bytes().to_vec(),
        token: secret.to_vec(),
        certificate_signing_request: signing_request(key).expect("a signing request"),
    };
    let enrolled = EnrolmentServiceClient::new(channel).enrol(request).await?.into_inner();
    let certificate = Certificate::from_der(&enrolled.certificate).expect("a certificate");
    assert_eq!(certificate.public_key(), key.public(), "the certificate is for our key");
    Ok(Party { key: key.clone(), certificate: enrolled.certificate })
}

/// Redeems a token for a new key.
///
/// # Panics
///
/// If it is refused.
pub async fn redeem(target: &Target, token: &InviteToken) -> Party {
    let key = SecretKey::generate(&OsEntropy);
    let channel = target.anonymous(Ipv4Addr::LOCALHOST);
    enrol(channel, token.id(), token.secret(), &key).await.expect("the token works")
}

/// Hands in a result with the signature of `key`.
///
/// # Errors
///
/// The refusal.
///
/// # Panics
///
/// If the result has no canonical form.
pub async fn submit(
    channel: Channel,
    key: &SecretKey,
    result: &SiteResult,
) -> Result<proto::SubmitResultResponse, Status> {
    let canonical = Canonical::new(result.clone()).expect("the result is in range");
    let signature = dsse::sign(key, PayloadType::SiteResult, canonical.bytes());
    let request = proto::SubmitResultRequest {
        result: Some(fedval_wire::site_result_to_wire(result)),
        signature: signature.as_bytes().to_vec(),
        lease_epoch: 0,
        ..Default::default()
    };
    let answer = ResultServiceClient::new(channel).submit_result(request).await?;
    Ok(answer.into_inner())
}

/// Fetches an artifact.
///
/// # Errors
///
/// The refusal.
pub async fn download(channel: Channel, digest: &[u8]) -> Result<Vec<u8>, Status> {
    let request = proto::DownloadRequest { digest: digest.to_vec(), offset: 0 };
    let mut chunks = ArtifactServiceClient::new(channel).download(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        bytes.extend(chunk.data);
    }
    Ok(bytes)
}

impl Work {
    /// Opens the stream and waits for the welcome.
    ///
    /// # Errors
    ///
    /// The refusal.
    ///
    /// # Panics
    ///
    /// If anything but a welcome comes first.
    pub async fn open(channel: Channel, instance: [u8; 32]) -> Result<Self, Status> {
        let (say, said) = mpsc::channel(8);
        let hello = AgentEvent::Hello(proto::Hello {
            agent_build: vec![1; 32],
            instance: instance.to_vec(),
            previous_instance: Vec::new(),
        });
        let hello = proto::AgentEvent { event: Some(hello) };
        say.send(hello).await.expect("the queue is empty");
        let mut client = WorkServiceClient::new(channel);
        let events = client.work(ReceiverStream::new(said)).await?.into_inner();
        let mut work = Self { say, events };
        let first = work.next().await?;
        assert!(matches!(first, Event::Welcome(_)), "a welcome comes first: {first:?}");
        Ok(work)
    }

    /// The next event.
    ///
    /// # Errors
    ///
    /// The refusal that ended the stream.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub async fn next(&mut self) -> Result<Event, Status> {
        let event = tokio::time::timeout(PATIENCE, self.events.message()).await;
        let event = event.expect("something comes")?;
        Ok(event.and_then(|event| event.event).expect("the stream goes on"))
    }
}
