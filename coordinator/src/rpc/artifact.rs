//! `fedval.v1.ArtifactService`: protocols and models of the rounds a site was asked to work on.

use fedval_ambient::Problem;
use fedval_core::Coordinator;
use fedval_proto as proto;
use fedval_proto::artifact_service_server::ArtifactService;
use fedval_study::{Sha256Digest, SiteId};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::Bytes;
use tonic::{Request, Response, Status};

use super::caller;
use super::problem::status_of;

/// Bytes that are read at once.
const CHUNK_BYTES: u64 = 256 * 1024;
/// Bytes of one message. A site keeps whole messages alone: on a network that resets its connections
/// every 64 KiB, larger ones would never arrive.
const MESSAGE_BYTES: usize = 32 * 1024;
/// Messages read ahead of a slow site: with as many sites at once, this is what the coordinator holds.
const READ_AHEAD: usize = 4;

/// An artifact is not for this caller, or does not exist: the caller may not learn which.
#[derive(Debug, thiserror::Error)]
#[error("no artifact with this digest was dispatched to this site")]
struct NotDispatched;

impl Problem for NotDispatched {
    fn code(&self) -> &'static str {
        "ARTIFACT_NOT_FOUND"
    }

    fn remedy(&self) -> Option<String> {
        Some("run `fedval-agent jobs` to see what was dispatched".to_owned())
    }
}

/// Serves artifacts.
#[derive(Debug)]
pub(super) struct ArtifactRpc {
    coordinator: Coordinator,
}

impl ArtifactRpc {
    pub(super) const fn new(coordinator: Coordinator) -> Self {
        Self { coordinator }
    }

    async fn is_dispatched(&self, site: &SiteId, digest: &Sha256Digest) -> Result<bool, Status> {
        let offers = self.coordinator.offers_of(site).await.map_err(|error| status_of(&error))?;
        Ok(offers
            .iter()
            .any(|offer| offer.dispatch.model.0 == *digest || offer.dispatch.protocol.0 == *digest))
    }
}

#[tonic::async_trait]
impl ArtifactService for ArtifactRpc {
    type DownloadStream = ReceiverStream<Result<proto::ArtifactChunk, Status>>;

    #[tracing::instrument(name = "artifact.download", skip_all)]
    async fn download(
        &self,
        request: Request<proto::DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let site = caller::site(&self.coordinator, &request).await?;
        let request = request.into_inner();
        let digest = fedval_wire::digest("digest", &request.digest).map_err(|e| status_of(&e))?;
        if !self.is_dispatched(&site, &digest).await? {
            return Err(status_of(&NotDispatched));
        }
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        tokio::spawn(send_chunks(self.coordinator.clone(), digest, request.offset, sender));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

async fn send_chunks(
    coordinator: Coordinator,
    digest: Sha256Digest,
    mut offset: u64,
    sender: mpsc::Sender<Result<proto::ArtifactChunk, Status>>,
) {
    loop {
        let chunk = coordinator.artifacts().artifact_read(&digest, offset, CHUNK_BYTES).await;
        let mut data = match chunk {
            Ok(data) if data.is_empty() => return,
            Ok(data) => Bytes::from(data),
            Err(error) => {
                drop(sender.send(Err(status_of(&error))).await);
                return;
            }
        };
        offset += data.len() as u64;
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(MESSAGE_BYTES));
            let message = proto::ArtifactChunk { data: piece };
            if sender.send(Ok(message)).await.is_err() {
                return;
            }
        }
    }
}
