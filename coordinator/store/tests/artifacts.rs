//! Artifacts, in a folder and in a bucket: what either place must do, and what only one can do.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/s3.rs"]
mod s3;

use std::path::Path;
use std::sync::Arc;

use fedval_ambient::Problem as _;
use fedval_core::Artifacts;
use fedval_core::port::StoredArtifact;
use fedval_store::{ArtifactsConfig, BucketAccess, FolderArtifacts, artifacts_open};
use fedval_study::Sha256Digest;
use s3::S3Server;

/// Larger than an upload holds in memory.
const MANY_PARTS: usize = (20 << 20) + 17;

/// A place for artifacts that lives as long as it.
struct Opened<P> {
    artifacts: Arc<dyn Artifacts>,
    place: P,
}

async fn folder() -> Opened<tempfile::TempDir> {
    let place = tempfile::tempdir().unwrap();
    let config = ArtifactsConfig::Folder(place.path().to_path_buf());
    Opened { artifacts: artifacts_open(&config).await.unwrap(), place }
}

async fn bucket() -> Opened<S3Server> {
    let place = S3Server::start().await;
    Opened { artifacts: artifacts_open(&place.config("fedval/ours")).await.unwrap(), place }
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
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What either place must do: one module of tests for each.
macro_rules! suite {
    ($place:ident: $($name:ident),+ $(,)?) => {
        mod $place {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    let opened = super::$place().await;
                    super::$name(Arc::clone(&opened.artifacts)).await;
                }
            )+
            use std::sync::Arc;
        }
    };
    ($($place:ident),+) => {
        $(suite! { $place:
            an_upload_is_found_by_its_digest_with_its_size,
            an_absent_artifact_has_no_size_and_no_bytes,
            bytes_are_read_from_any_offset_and_end_with_the_artifact,
            a_dropped_upload_is_no_artifact,
            the_same_artifact_uploaded_twice_at_once_is_one_artifact,
            different_artifacts_at_once_do_not_mix,
            many_large_chunks_arrive_in_order,
            an_artifact_of_many_parts_arrives_whole,
            an_artifact_of_exactly_one_part_arrives_whole,
            an_empty_artifact_is_an_artifact,
        })+
    };
}
suite!(folder, bucket);

async fn an_upload_is_found_by_its_digest_with_its_size(artifacts: Arc<dyn Artifacts>) {
    let stored = put(artifacts.as_ref(), &[b"the model", b" in two chunks"]).await;
    let digest = Sha256Digest::of(b"the model in two chunks");
    assert_eq!(stored, StoredArtifact { digest, bytes: 23 });
    assert_eq!(artifacts.artifact_size(&digest).await.unwrap(), Some(23));
}

async fn an_absent_artifact_has_no_size_and_no_bytes(artifacts: Arc<dyn Artifacts>) {
    let absent = Sha256Digest::of(b"absent");
    assert_eq!(artifacts.artifact_size(&absent).await.unwrap(), None);
    assert!(artifacts.artifact_read(&absent, 0, 10).await.unwrap().is_empty());
}

async fn bytes_are_read_from_any_offset_and_end_with_the_artifact(artifacts: Arc<dyn Artifacts>) {
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

async fn a_dropped_upload_is_no_artifact(artifacts: Arc<dyn Artifacts>) {
    let half = vec![7; MANY_PARTS];
    let mut upload = artifacts.artifact_begin().await.unwrap();
    upload.write(half.clone()).await.unwrap();
    drop(upload);
    let digest = Sha256Digest::of(&half);
    assert_eq!(artifacts.artifact_size(&digest).await.unwrap(), None);
}

async fn the_same_artifact_uploaded_twice_at_once_is_one_artifact(artifacts: Arc<dyn Artifacts>) {
    let uploads: Vec<_> = (0..8)
        .map(|_| {
            let artifacts = Arc::clone(&artifacts);
            tokio::spawn(async move { put(artifacts.as_ref(), &[b"model"]).await })
        })
        .collect();
    for upload in uploads {
        assert_eq!(upload.await.unwrap().digest, Sha256Digest::of(b"model"));
    }
    let digest = Sha256Digest::of(b"model");
    assert_eq!(artifacts.artifact_read(&digest, 0, 10).await.unwrap(), b"model");
}

async fn different_artifacts_at_once_do_not_mix(artifacts: Arc<dyn Artifacts>) {
    let uploads: Vec<_> = (0..8)
        .map(|number| {
            let artifacts = Arc::clone(&artifacts);
            tokio::spawn(async move {
                let chunk = vec![number; 1 << 20];
                let stored = put(artifacts.as_ref(), &[&chunk, &chunk]).await;
                assert_eq!(stored.digest, Sha256Digest::of(&[&chunk[..], &chunk].concat()));
                let read = artifacts.artifact_read(&stored.digest, 1 << 20, 1 << 20).await.unwrap();
                assert_eq!(read, chunk);
            })
        })
        .collect();
    for upload in uploads {
        upload.await.unwrap();
    }
}

async fn many_large_chunks_arrive_in_order(artifacts: Arc<dyn Artifacts>) {
    let chunks: Vec<Vec<u8>> = (0..9).map(|number| vec![number; 300_000]).collect();
    let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    let stored = put(artifacts.as_ref(), &chunks).await;
    assert_eq!(stored.digest, Sha256Digest::of(&chunks.concat()));
    let across = artifacts.artifact_read(&stored.digest, 299_999, 2).await.unwrap();
    assert_eq!(across, [0, 1]);
}

async fn an_artifact_of_many_parts_arrives_whole(artifacts: Arc<dyn Artifacts>) {
    // No two parts are alike, so that two that changed places would show.
    let model: Vec<u8> = (0_u32..).flat_map(u32::to_le_bytes).take(MANY_PARTS).collect();
    let chunks: Vec<&[u8]> = model.chunks(1 << 20).collect();
    let stored = put(artifacts.as_ref(), &chunks).await;
    let digest = Sha256Digest::of(&model);
    assert_eq!(stored, StoredArtifact { digest, bytes: MANY_PARTS as u64 });
    assert_eq!(artifacts.artifact_size(&digest).await.unwrap(), Some(MANY_PARTS as u64));
    assert!(artifacts.artifact_read(&digest, 0, u64::MAX).await.unwrap() == model);
}

async fn an_artifact_of_exactly_one_part_arrives_whole(artifacts: Arc<dyn Artifacts>) {
    for bytes in [8 << 20, (8 << 20) + 1] {
        let model = vec![3; bytes];
        let stored = put(artifacts.as_ref(), &[&model]).await;
        assert_eq!(stored.digest, Sha256Digest::of(&model));
        let size = artifacts.artifact_size(&stored.digest).await.unwrap();
        assert_eq!(size, Some(bytes as u64));
    }
}

async fn an_empty_artifact_is_an_artifact(artifacts: Arc<dyn Artifacts>) {
    let stored = put(artifacts.as_ref(), &[]).await;
    assert_eq!(artifacts.artifact_size(&stored.digest).await.unwrap(), Some(0));
    assert!(artifacts.artifact_read(&stored.digest, 0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_folder_holds_whole_artifacts_and_nothing_else() {
    let Opened { artifacts, place } = folder().await;
    let digest = put(artifacts.as_ref(), &[b"model"]).await.digest;
    assert!(names(&place.path().join("incoming")).is_empty());
    let mut upload = artifacts.artifact_begin().await.unwrap();
    upload.write(b"half of a model".to_vec()).await.unwrap();
    drop(upload);
    assert_eq!(names(&place.path().join("sha256")), [digest.to_string()]);
    // What was dropped is removed beside us, as soon as the disk gets to it.
    while !names(&place.path().join("incoming")).is_empty() {
        tokio::task::yield_now().await;
    }
    let read = artifacts_open(&ArtifactsConfig::Folder(place.path().to_path_buf())).await.unwrap();
    assert_eq!(read.artifact_read(&digest, 0, 10).await.unwrap(), b"model");
}

#[tokio::test]
async fn a_bucket_holds_whole_artifacts_below_the_prefix_and_nothing_else() {
    let Opened { artifacts, place } = bucket().await;
    let small = put(artifacts.as_ref(), &[b"model"]).await.digest;
    let large = vec![5; MANY_PARTS];
    let large = put(artifacts.as_ref(), &[&large]).await.digest;
    let ours = place.bucket().join("fedval").join("ours");
    let mut expected = [small.to_string(), large.to_string()];
    expected.sort();
    assert_eq!(names(&ours.join("sha256")), expected);
    assert!(names(&ours.join("incoming")).is_empty(), "what was copied is gone");

    let read = artifacts_open(&place.config("fedval/ours")).await.unwrap();
    assert_eq!(read.artifact_read(&small, 0, 10).await.unwrap(), b"model");
    let elsewhere = artifacts_open(&place.config("other")).await.unwrap();
    assert_eq!(elsewhere.artifact_size(&small).await.unwrap(), None);
}

#[tokio::test]
async fn parts_of_a_dropped_upload_are_aborted() {
    let Opened { artifacts, place } = bucket().await;
    let parts = || names(&place.data()).into_iter().filter(|name| name.contains("part")).count();
    let mut upload = artifacts.artifact_begin().await.unwrap();
    upload.write(vec![1; MANY_PARTS]).await.unwrap();
    assert!(parts() > 0, "two parts are there");
    drop(upload);
    while parts() > 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_folder_that_does_not_exist_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(FolderArtifacts::open(&folder.path().join("absent")).is_err());
}

#[tokio::test]
async fn a_place_that_cannot_be_used_says_why_and_shows_no_key() {
    let server = S3Server::start().await;
    let ArtifactsConfig::Bucket { prefix, access, .. } = server.config("") else { panic!("s3") };
    let open = async |bucket: &str, access: BucketAccess| {
        let bucket = bucket.to_owned();
        let config = ArtifactsConfig::Bucket { bucket, prefix: prefix.clone(), access };
        artifacts_open(&config).await.unwrap_err()
    };
    let absent = open("absent", access.clone()).await;
    assert_eq!(absent.code(), "ARTIFACTS_NOT_REACHED");
    std::fs::write(server.credentials_file(), "aws_access_key_id = ours\n").unwrap();
    assert_eq!(open(s3::BUCKET, access.clone()).await.code(), "ARTIFACTS_CREDENTIALS");
    let wrong = "aws_access_key_id = ours\naws_secret_access_key = wr0ng-key\n";
    std::fs::write(server.credentials_file(), wrong).unwrap();
    let refused = open(s3::BUCKET, access).await;
    assert_eq!(refused.code(), "ARTIFACTS_NOT_REACHED");
    assert!(!format!("{refused:?}").contains("wr0ng-key"));
}

#[test]
fn an_address_is_a_folder_or_a_bucket_and_plain_http_stays_on_this_machine() {
    let parse = |address: Option<&str>, endpoint: Option<&str>, allow_http| {
        let endpoint = endpoint.map(str::to_owned);
        let access = BucketAccess { endpoint, allow_http, ..BucketAccess::default() };
        ArtifactsConfig::parse(address, access, Path::new("/home"))
    };
    let folder = |path: &str| ArtifactsConfig::Folder(path.into());
    assert_eq!(parse(None, None, false).unwrap(), folder("/home/artifacts"));
    assert_eq!(parse(Some("models"), None, false).unwrap(), folder("/home/models"));
    assert_eq!(parse(Some("/models"), None, false).unwrap(), folder("/models"));
    let s3 = Some("s3://models/fedval/");
    let ArtifactsConfig::Bucket { bucket, prefix, .. } = parse(s3, None, false).unwrap() else {
        panic!("a bucket")
    };
    assert_eq!((bucket.as_str(), prefix.as_str()), ("models", "fedval"));
    for here in ["http://localhost:9000", "http://127.0.0.1:9000", "http://[::1]:9000/"] {
        assert!(parse(s3, Some(here), false).is_ok(), "{here}");
    }
    let plain = Some("http://localhost.example.org:9000");
    assert_eq!(parse(s3, plain, false).unwrap_err().code(), "ARTIFACTS_NO_TLS");
    assert!(parse(s3, plain, true).is_ok());
    assert!(parse(s3, Some("https://s3.example.org"), false).is_ok());
    for wrong in ["", "s3://", "s3:///models", "https://models"] {
        let refused = parse(Some(wrong), None, false).unwrap_err();
        assert_eq!(refused.code(), "ARTIFACTS_ADDRESS", "{wrong}");
    }
}
