//! Artifacts in a bucket: what is small goes there at once, what is large in parts, under a name of
//! its own until its digest is known. An object store has no rename: the store copies.

use std::sync::Arc;

use async_trait::async_trait;
use fedval_core::port::{ArtifactError, ArtifactUpload, Artifacts, StoredArtifact};
use fedval_study::Sha256Digest;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};

use super::{during, incoming_key, key_of, read, size};

/// Size of a part, and the most that an upload holds in memory beside the chunk it was given. S3
/// takes no part below 5 MiB but the last, and no more than 10,000 of them.
const PART_BYTES: usize = 8 << 20;

/// Artifacts in a bucket, below a prefix. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BucketArtifacts {
    store: Arc<dyn ObjectStore>,
}

impl BucketArtifacts {
    /// Artifacts in a store that somebody opened.
    pub(super) fn new(store: impl ObjectStore, prefix: &str) -> Self {
        Self { store: Arc::new(PrefixStore::new(store, prefix)) }
    }

    /// Asks for a little, so that a wrong key, bucket or address shows before anybody needs it.
    pub(super) async fn look(&self) -> Result<(), Error> {
        self.store.list_with_delimiter(Some(&Key::from("incoming"))).await.map(drop)
    }
}

/// Parts that are on their way.
struct Parts {
    upload: Box<dyn MultipartUpload>,
    temporary: Key,
}

struct BucketUpload {
    store: Arc<dyn ObjectStore>,
    /// Empty until the artifact turned out to be larger than one part.
    parts: Option<Parts>,
    waiting: Vec<u8>,
    hash: Sha256,
    bytes: u64,
}

impl BucketUpload {
    async fn send(&mut self, part: Vec<u8>) -> Result<(), Error> {
        if self.parts.is_none() {
            let temporary = incoming_key();
            let upload = self.store.put_multipart(&temporary).await?;
            self.parts = Some(Parts { upload, temporary });
        }
        let parts = self.parts.as_mut().expect("it was begun just now");
        parts.upload.put_part(part.into()).await
    }

    /// Puts everything under the artifact's digest.
    async fn store(&mut self, digest: &Sha256Digest) -> Result<(), Error> {
        let last = std::mem::take(&mut self.waiting);
        if self.parts.is_none() {
            return self.store.put(&key_of(digest), last.into()).await.map(drop);
        }
        if !last.is_empty() {
            self.send(last).await?;
        }
        let parts = self.parts.as_mut().expect("some were sent");
        parts.upload.complete().await?;
        let temporary = parts.temporary.clone();
        // Complete: there is nothing left to abort.
        self.parts = None;
        let copied = self.store.copy(&temporary, &key_of(digest)).await;
        // What stays behind costs room and nothing else: the copy decides.
        let _ = self.store.delete(&temporary).await;
        copied
    }
}

#[async_trait]
impl ArtifactUpload for BucketUpload {
    async fn write(&mut self, chunk: Vec<u8>) -> Result<(), ArtifactError> {
        self.hash.update(&chunk);
        self.bytes += chunk.len() as u64;
        self.waiting.extend_from_slice(&chunk);
        while self.waiting.len() > PART_BYTES {
            let rest = self.waiting.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.waiting, rest);
            self.send(part).await.map_err(during("artifact_write"))?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<StoredArtifact, ArtifactError> {
        let digest = Sha256Digest::from_bytes(std::mem::take(&mut self.hash).finalize().into());
        self.store(&digest).await.map_err(during("artifact_finish"))?;
        Ok(StoredArtifact { digest, bytes: self.bytes })
    }
}

impl Drop for BucketUpload {
    /// Parts of an upload that nobody finishes cost room until they are aborted.
    fn drop(&mut self) {
        let Some(mut parts) = self.parts.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // A bucket's own rule for unfinished uploads is what remains.
                let _ = parts.upload.abort().await;
            });
        }
    }
}

#[async_trait]
impl Artifacts for BucketArtifacts {
    async fn artifact_begin(&self) -> Result<Box<dyn ArtifactUpload>, ArtifactError> {
        Ok(Box::new(BucketUpload {
            store: Arc::clone(&self.store),
            parts: None,
            waiting: Vec::new(),
            hash: Sha256::new(),
            bytes: 0,
        }))
    }

    async fn artifact_size(&self, digest: &Sha256Digest) -> Result<Option<u64>, ArtifactError> {
        size(self.store.as_ref(), digest).await
    }

    async fn artifact_read(
        &self,
        digest: &Sha256Digest,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, ArtifactError> {
        read(self.store.as_ref(), digest, offset, length).await
    }
}
