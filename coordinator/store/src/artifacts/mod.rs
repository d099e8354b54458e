//! Large immutable byte strings: in a folder, or in a bucket of an object store.

mod bucket;
mod credentials;
mod folder;
mod open;

use std::error::Error;

use fedval_core::port::ArtifactError;
use fedval_study::Sha256Digest;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _};

pub use bucket::BucketArtifacts;
pub use folder::FolderArtifacts;
pub use open::{ArtifactsConfig, BucketAccess, OpenArtifactsError, artifacts_open};

/// No read is longer: what is asked for is a range that a server can write down.
const MOST_READ_BYTES: u64 = 1 << 40;

/// Tags a driver's error with the operation it interrupted.
fn during<E: Into<Box<dyn Error + Send + Sync>>>(
    operation: &'static str,
) -> impl Fn(E) -> ArtifactError {
    move |source| ArtifactError { operation, source: source.into() }
}

/// Where an artifact lies.
fn key_of(digest: &Sha256Digest) -> Key {
    Key::from(format!("sha256/{digest}"))
}

/// Where an artifact lies while it comes in, and its digest is not known.
fn incoming_key() -> Key {
    Key::from(format!("incoming/{}", uuid::Uuid::now_v7()))
}

async fn size(
    store: &dyn ObjectStore,
    digest: &Sha256Digest,
) -> Result<Option<u64>, ArtifactError> {
    match store.head(&key_of(digest)).await {
        Ok(found) => Ok(Some(found.size)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(during("artifact_size")(error)),
    }
}

/// One request, where there is something to read.
async fn read(
    store: &dyn ObjectStore,
    digest: &Sha256Digest,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, ArtifactError> {
    let end = offset.saturating_add(length.min(MOST_READ_BYTES));
    if offset >= end {
        return Ok(Vec::new());
    }
    let refused = match store.get_range(&key_of(digest), offset..end).await {
        Ok(bytes) => return Ok(bytes.into()),
        Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
        Err(error) => error,
    };
    // A range that begins behind the end is an error to the store and nothing to read to us.
    let size = size(store, digest).await?;
    if size.is_some_and(|size| offset >= size) {
        return Ok(Vec::new());
    }
    Err(during("artifact_read")(refused))
}
