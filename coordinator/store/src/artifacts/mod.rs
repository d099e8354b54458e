//! Large immutable byte strings: in a folder, or in a bucket of an object store.

mod bucket;
mod credentials;
mod folder;
mod open;

use std::error::Error;

use fedval_core::port::ArtifactError;
use fedval_study::Sha256Digest;
use object_store::path::Path as Key;

pub use bucket::BucketArtifacts;
pub use folder::FolderArtifacts;
pub use open::{ArtifactsConfig, BucketAccess, OpenArtifactsError, artifacts_open};

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
