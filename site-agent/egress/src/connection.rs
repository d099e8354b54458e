//! An enrolled site's calls.

use std::path::Path;

use fedval_ambient::Timestamp;
use fedval_disclosure::Releasable;
use fedval_proto as proto;
use fedval_proto::artifact_service_client::ArtifactServiceClient;
use fedval_proto::certificate_service_client::CertificateServiceClient;
use fedval_proto::result_service_client::ResultServiceClient;
use fedval_study::{LedgerMark, ResultDigest, Sha256Digest, SiteResult};
use fedval_trust::{Certificate, PayloadType, SecretKey, dsse, ledger_mark, tls};
use tonic::transport::Channel;

use crate::answer::within;
use crate::part_file::{PartFile, part_of};
use crate::{Coordinator, EgressError, Instance, WorkStream};

/// A connection with this site's certificate.
#[derive(Debug, Clone)]
pub struct Connection {
    channel: Channel,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the coordinator cannot be reached or is another one.
    pub async fn open(
        coordinator: &Coordinator,
        root: &Certificate,
        certificate: &Certificate,
        key: &SecretKey,
    ) -> Result<Self, EgressError> {
        let tls = tls::client_config(root, certificate, key).map_err(|_| EgressError::Tls)?;
        Ok(Self { channel: coordinator.dial(tls).await? })
    }

    /// The way that every call takes.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Opens the work stream.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the coordinator refuses.
    pub async fn work(
        &self,
        agent_build: &Sha256Digest,
        instance: &Instance,
    ) -> Result<WorkStream, EgressError> {
        WorkStream::open(self.channel.clone(), agent_build, instance).await
    }

    /// Asks for a certificate with a new life for this site's key.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the coordinator refuses or certifies something else.
    pub async fn renew(
        &self,
        root: &Certificate,
        certificate: &Certificate,
        now: Timestamp,
    ) -> Result<Certificate, EgressError> {
        let mut client = CertificateServiceClient::new(self.channel.clone());
        let answer = within(client.renew(proto::RenewRequest {})).await?.into_inner();
        let bad = |_| EgressError::BadAnswer;
        let renewed = Certificate::from_der(&answer.certificate).map_err(bad)?;
        renewed.verify(root, now).map_err(bad)?;
        let is_ours = renewed.role() == certificate.role()
            && renewed.public_key() == certificate.public_key();
        if is_ours { Ok(renewed) } else { Err(EgressError::BadAnswer) }
    }

    /// Asks the registry whether this site is enrolled; what time it is there.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the coordinator refuses.
    pub async fn check(&self) -> Result<Timestamp, EgressError> {
        let mut client = CertificateServiceClient::new(self.channel.clone());
        let answer = within(client.check(proto::CheckRequest {})).await?.into_inner();
        Ok(Timestamp::from_unix_millis(answer.now_ms))
    }

    /// Fetches an artifact into `file`, going on where an earlier attempt ended.
    ///
    /// The file appears under its name only when every byte is there and its digest holds. Whoever
    /// reads it later compares the digest once more: a machine that loses its power may leave less on
    /// its disk than it wrote.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the download fails or is not what its digest says.
    pub async fn download(
        &self,
        digest: &Sha256Digest,
        bytes: u64,
        file: &Path,
    ) -> Result<(), EgressError> {
        if tokio::fs::try_exists(file).await.map_err(EgressError::Disk)? {
            return Ok(());
        }
        let mut part = PartFile::open(&part_of(file)).await?;
        if part.bytes() < bytes {
            let fetched = self.fetch(digest, bytes, &mut part).await;
            // What did arrive is kept, whatever ended the download.
            part.write().await?;
            fetched?;
        }
        part.keep_as(file, digest, bytes)
    }

    /// Appends what is missing to `part`.
    async fn fetch(
        &self,
        digest: &Sha256Digest,
        bytes: u64,
        part: &mut PartFile,
    ) -> Result<(), EgressError> {
        let digest = digest.as_bytes().to_vec();
        let request = proto::DownloadRequest { digest, offset: part.bytes() };
        let mut client = ArtifactServiceClient::new(self.channel.clone());
        let mut chunks = within(client.download(request)).await?.into_inner();
        while let Some(chunk) = within(chunks.message()).await? {
            part.append(chunk.data).await?;
            if part.bytes() > bytes {
                break;
            }
        }
        Ok(())
    }

    /// Sends a result with this site's signature, and with another how many entries its ledger has. Sending it again gets the same acknowledgement.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the coordinator refuses or acknowledges other bytes.
    pub async fn submit(
        &self,
        result: &Releasable<SiteResult>,
        key: &SecretKey,
        lease_epoch: u64,
        ledger: &LedgerMark,
    ) -> Result<ResultDigest, EgressError> {
        let signature = dsse::sign(key, PayloadType::SiteResult, result.bytes());
        let mark = ledger_mark::sign(key, ledger);
        let request = proto::SubmitResultRequest {
            result: Some(fedval_wire::site_result_to_wire(result.value())),
            signature: signature.as_bytes().to_vec(),
            lease_epoch,
            ledger_entries: ledger.entries,
            ledger_head: ledger.head.as_bytes().to_vec(),
            ledger_signature: mark.map(|mark| mark.as_bytes().to_vec()).unwrap_or_default(),
        };
        let mut client = ResultServiceClient::new(self.channel.clone());
        let answer = within(client.submit_result(request)).await?.into_inner();
        let acknowledged = fedval_wire::digest("result_digest", &answer.result_digest)
            .map_err(|_| EgressError::BadAnswer)?;
        let sent = Sha256Digest::of(result.bytes());
        if acknowledged == sent { Ok(ResultDigest(sent)) } else { Err(EgressError::BadAnswer) }
    }
}
