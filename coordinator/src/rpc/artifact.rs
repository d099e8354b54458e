//! `fedval.v1.ArtifactService`: protocols and models of the rounds a site was asked to work on.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::Problem;
use fedval_core::Coordinator;
use fedval_proto as proto;
use fedval_proto::artifact_service_server::ArtifactService;
use fedval_study::{Sha256Digest, SiteId};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tonic::codegen::Bytes;
use tonic::{Request, Response, Status};

use super::caller;
use super::problem::status_of;

/// Bytes that are read at once.
const CHUNK_BYTES: u64 = 256 * 1024;
/// And by a download that has its place: few of them hold so much.
const PLACED_CHUNK_BYTES: u64 = 1024 * 1024;
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
    type DownloadStream = BoxStream<'static, Result<proto::ArtifactChunk, Status>>;

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
        let download = Download {
            coordinator: self.coordinator.clone(),
            digest,
            offset: request.offset,
            unsent: Bytes::new(),
            is_read: false,
            places: Arc::clone(&self.places),
            turn: None,
            is_first: true,
        };
        Ok(Response::new(stream::unfold(download, Download::next).boxed()))
    }
}

/// A place in the queue, then among those that begin: until this is dropped, and at most for [`PLACE`].
///
/// A task of its own holds it, so that a site that takes nothing for hours holds nobody up.
struct Turn {
    begins: oneshot::Receiver<()>,
    has_begun: bool,
    until: oneshot::Sender<()>,
}

impl Turn {
    fn queue(places: Arc<Semaphore>) -> Self {
        let (begin, begins) = oneshot::channel();
        let (until, mut ended) = oneshot::channel();
        tokio::spawn(async move {
            let place = tokio::select! {
                place = places.acquire_owned() => place,
                _ = &mut ended => return,
            };
            if begin.send(()).is_ok() {
                drop(timeout(PLACE, ended).await);
            }
            drop(place);
        });
        Self { begins, has_begun: false, until }
    }

    /// Waits for the place, at most for `patience`.
    async fn begins_within(&mut self, patience: Duration) -> bool {
        self.has_begun = self.has_begun || timeout(patience, &mut self.begins).await.is_ok();
        self.has_begun
    }

    fn is_over(&self) -> bool {
        self.until.is_closed()
    }
}

/// One download. It reads when the site has taken what was read before, and holds no more than that.
struct Download {
    coordinator: Coordinator,
    digest: Sha256Digest,
    offset: u64,
    unsent: Bytes,
    /// Whether there is nothing more to read.
    is_read: bool,
    places: Arc<Semaphore>,
    /// What the first read holds needs none: protocols are small.
    turn: Option<Turn>,
    is_first: bool,
}

impl Download {
    /// The next message; `None` at the end.
    async fn next(mut self) -> Option<(Result<proto::ArtifactChunk, Status>, Self)> {
        if self.unsent.is_empty() && !self.is_read {
            if !self.has_a_place().await {
                return Some((Ok(proto::ArtifactChunk::default()), self));
            }
            match self.read().await {
                Ok(data) => self.unsent = data,
                Err(error) => {
                    self.is_read = true;
                    return Some((Err(error), self));
                }
            }
        }
        if self.unsent.is_empty() {
            return None;
        }
        let data = self.unsent.split_to(self.unsent.len().min(MESSAGE_BYTES));
        Some((Ok(proto::ArtifactChunk { data }), self))
    }

    /// Waits for this download's turn; `false` where the site should hear that somebody is there.
    async fn has_a_place(&mut self) -> bool {
        if std::mem::take(&mut self.is_first) {
            return true;
        }
        let places = &self.places;
        let turn = self.turn.get_or_insert_with(|| Turn::queue(Arc::clone(places)));
        turn.begins_within(SIGN_OF_LIFE).await
    }

    async fn read(&mut self) -> Result<Bytes, Status> {
        let has_place = self.turn.as_ref().is_some_and(|turn| !turn.is_over());
        let most = if has_place { PLACED_CHUNK_BYTES } else { CHUNK_BYTES };
        let artifacts = self.coordinator.artifacts();
        let data = artifacts.artifact_read(&self.digest, self.offset, most).await;
        let data = Bytes::from(data.map_err(|error| status_of(&error))?);
        self.offset += data.len() as u64;
        self.is_read = (data.len() as u64) < most;
        Ok(data)
    }
}
