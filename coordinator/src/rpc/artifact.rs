//! `fedval.v1.ArtifactService`: protocols and models of the rounds a site was asked to work on.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::Problem;
use fedval_core::Coordinator;
use fedval_proto as proto;
use fedval_proto::artifact_service_server::ArtifactService;
use fedval_study::{Sha256Digest, SiteId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
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
/// Downloads that begin beside each other. A hundred sites that all fetch a model at the moment of a
/// dispatch are done sooner one after the other: each has its model while the next one fetches.
const AT_ONCE: usize = 2;
/// A download gives its place up after this long: one on a slow line holds nobody up.
const PLACE: Duration = Duration::from_secs(2);
/// Whoever waits for a place is told this often that somebody is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
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
    places: Arc<Semaphore>,
}

impl ArtifactRpc {
    pub(super) fn new(coordinator: Coordinator) -> Self {
        Self { coordinator, places: Arc::new(Semaphore::new(AT_ONCE)) }
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
        let (coordinator, places) = (self.coordinator.clone(), Arc::clone(&self.places));
        let download = Download { coordinator, digest, offset: request.offset, sender };
        tokio::spawn(download.run(places));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// One download.
struct Download {
    coordinator: Coordinator,
    digest: Sha256Digest,
    offset: u64,
    sender: mpsc::Sender<Result<proto::ArtifactChunk, Status>>,
}

impl Download {
    /// Sends everything from the offset on. What one read holds needs no place: protocols are small.
    async fn run(mut self, places: Arc<Semaphore>) {
        if self.send_piece().await.is_none() {
            return;
        }
        let Some(place) = self.wait_for(places).await else { return };
        let mut place = Some(place);
        let begun = self.now();
        while self.send_piece().await.is_some() {
            if self.now().saturating_sub(begun) >= PLACE {
                place.take();
            }
        }
    }

    fn now(&self) -> Duration {
        self.coordinator.clock().monotonic()
    }

    /// A place; `None` where the site is gone.
    async fn wait_for(&self, places: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        let mut place = pin!(places.acquire_owned());
        loop {
            match timeout(SIGN_OF_LIFE, &mut place).await {
                Ok(place) => return place.ok(),
                Err(_) => self.send(Bytes::new()).await?,
            }
        }
    }

    /// Reads once and sends it; `None` at the end, or where the site is gone.
    async fn send_piece(&mut self) -> Option<()> {
        let artifacts = self.coordinator.artifacts();
        let mut data = match artifacts.artifact_read(&self.digest, self.offset, CHUNK_BYTES).await {
            Ok(data) => Bytes::from(data),
            Err(error) => {
                drop(self.sender.send(Err(status_of(&error))).await);
                return None;
            }
        };
        if data.is_empty() {
            return None;
        }
        self.offset += data.len() as u64;
        while !data.is_empty() {
            self.send(data.split_to(data.len().min(MESSAGE_BYTES))).await?;
        }
        Some(())
    }

    async fn send(&self, data: Bytes) -> Option<()> {
        self.sender.send(Ok(proto::ArtifactChunk { data })).await.ok()
    }
}
