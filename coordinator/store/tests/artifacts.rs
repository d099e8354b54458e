//! Artifacts in a folder.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;
use std::sync::Arc;

use fedval_core::Artifacts;
use fedval_core::port::StoredArtifact;
use fedval_store::FolderArtifacts;
use fedval_study::Sha256Digest;

fn open(folder: &Path) -> Arc<dyn Artifacts> {
    Arc::new(FolderArtifacts::open(folder).unwrap())
}

async fn put(artifacts: &dyn Artifacts, chunks: &[&[u8]]) -> StoredArtifact {
    let mut upload = artifacts.artifact_begin().await.unwrap();
    for chunk in chunks {
        upload.write(chunk.to_vec()).await.unwrap();
    }
    upload.finish().await.unwrap()
}

/// Names of the files in a folder; none where there is no such folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn an_upload_is_found_by_its_digest_with_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = open(folder.path());
    let stored = put(artifacts.as_ref(), &[b"the model", b" in two chunks"]).await;
    let digest = Sha256Digest::of(b"the model in two chunks");
    assert_eq!(stored, StoredArtifact { digest, bytes: 23 });
    assert_eq!(artifacts.artifact_size(&digest).await.unwrap(), Some(23));
    assert_eq!(names(&folder.path().join("sha256")), [digest.to_string()]);
    assert!(names(&folder.path().join("incoming")).is_empty());
}

#[tokio::test]
async fn an_absent_artifact_has_no_size_and_no_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = open(folder.path());
    let absent = Sha256Digest::of(b"absent");
    assert_eq!(artifacts.artifact_size(&absent).await.unwrap(), None);
    assert!(artifacts.artifact_read(&absent, 0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn bytes_are_read_from_any_offset_and_end_with_the_artifact() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = open(folder.path());
    let digest = put(artifacts.as_ref(), &[b"0123456789"]).await.digest;
    for (offset, length, expected) in [
        (0, 4, &b"0123"[..]),
        (4, 4, b"4567"),
        (8, 4, b"89"),
        (10, 4, b""),
        (11, 4, b""),
        (3, 0, b""),
        (u64::MAX, u64::MAX, b""),
        (0, u64::MAX, b"0123456789"),
    ] {
        let read = artifacts.artifact_read(&digest, offset, length).await.unwrap();
        assert_eq!(read, expected, "{length} bytes from {offset}");
    }
}

#[tokio::test]
async fn a_dropped_upload_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = open(folder.path());
    let mut upload = artifacts.artifact_begin().await.unwrap();
    upload.write(b"half of a model".to_vec()).await.unwrap();
    drop(upload);
    assert!(names(&folder.path().join("sha256")).is_empty());
    let digest = Sha256Digest::of(b"half of a model");
    assert_eq!(artifacts.artifact_size(&digest).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_artifact_uploaded_twice_at_once_is_one_artifact() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = open(folder.path());
    let uploads: Vec<_> = (0..8)
        .map(|_| {
            let artifacts = Arc::clone(&artifacts);
            tokio::spawn(async move { put(artifacts.as_ref(), &[b"model"]).await })
        })
        .collect();
    for upload in uploads {
        assert_eq!(upload.await.unwrap().digest, Sha256Digest::of(b"model"));
    }
    assert_eq!(names(&folder.path().join("sha256")).len(), 1);
}

#[tokio::test]
async fn many_large_chunks_arrive_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = open(folder.path());
    let chunks: Vec<Vec<u8>> = (0..9).map(|number| vec![number; 300_000]).collect();
    let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    let stored = put(artifacts.as_ref(), &chunks).await;
    assert_eq!(stored.digest, Sha256Digest::of(&chunks.concat()));
    let across = artifacts.artifact_read(&stored.digest, 299_999, 2).await.unwrap();
    assert_eq!(across, [0, 1]);
}

#[tokio::test]
async fn an_empty_artifact_is_an_artifact() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = open(folder.path());
    let stored = put(artifacts.as_ref(), &[]).await;
    assert_eq!(artifacts.artifact_size(&stored.digest).await.unwrap(), Some(0));
}

#[tokio::test]
async fn reopening_the_folder_keeps_artifacts() {
    let folder = tempfile::tempdir().unwrap();
    let digest = put(open(folder.path()).as_ref(), &[b"model"]).await.digest;
    let read = open(folder.path()).artifact_read(&digest, 0, 10).await.unwrap();
    assert_eq!(read, b"model");
}

#[test]
fn a_folder_that_does_not_exist_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(FolderArtifacts::open(&folder.path().join("absent")).is_err());
}
