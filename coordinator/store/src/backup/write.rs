//! Making a backup of a coordinator that runs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use fedval_core::port::Snapshot;
use fedval_study::Sha256Digest;
use serde::Deserialize;

use super::line::lines_of;
use super::manifest::{Entry, HashedFile, Manifest, read_chunks};
use super::{ARTIFACTS, BackupError, CHUNK_BYTES, Holdings, MANIFEST, ROWS};

/// Copies everything to a new folder: first the rows as they are at one moment, then the artifacts
/// that they name, which never change; then `files` of the coordinator's folder, as they are.
///
/// Returns digests of artifacts that studies name and nobody stored: drafts whose model never came.
///
/// # Errors
///
/// See [`BackupError`]. What was written until then is removed.
pub async fn backup_write(
    folder: &Path,
    from: Holdings<'_>,
    files: &[String],
) -> Result<Vec<Sha256Digest>, BackupError> {
    if folder.exists() {
        return Err(BackupError::Exists(folder.to_path_buf()));
    }
    let written = write_all(folder, from, files).await;
    if written.is_err() {
        // Without its list it is no backup; the error that is reported says more than another.
        let _ = fs::remove_dir_all(folder);
    }
    written
}

async fn write_all(
    folder: &Path,
    from: Holdings<'_>,
    files: &[String],
) -> Result<Vec<Sha256Digest>, BackupError> {
    let snapshot = from.store.snapshot_read().await?;
    make_folder(&folder.join(ARTIFACTS))?;
    let mut entries = vec![write_rows(folder, &snapshot)?];
    let mut absent = Vec::new();
    for digest in artifacts_of(&snapshot)? {
        match write_artifact(folder, from, &digest).await? {
            Some(entry) => entries.push(entry),
            None => absent.push(digest),
        }
    }
    for path in files {
        entries.push(copy(from.home, folder, path)?);
    }
    let list = serde_json::to_string_pretty(&Manifest::new(entries));
    let mut manifest = HashedFile::create(folder, MANIFEST)?;
    manifest.write(list.expect("texts and numbers are JSON").as_bytes())?;
    manifest.finish()?;
    Ok(absent)
}

/// A folder that its owner alone may enter.
pub(super) fn make_folder(folder: &Path) -> Result<(), BackupError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(BackupError::disk("create the folder", folder))
}

fn write_rows(folder: &Path, snapshot: &Snapshot) -> Result<Entry, BackupError> {
    let mut file = HashedFile::create(folder, ROWS)?;
    for line in lines_of(snapshot) {
        file.write(line.expect("rows are JSON").as_bytes())?;
    }
    file.finish()
}

/// What a protocol says of its model, whatever release wrote the rest.
#[derive(Deserialize)]
struct Protocol {
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    digest: Sha256Digest,
}

/// Models of all versions of all studies, and the protocols of the locked ones: sites fetch both by digest.
fn artifacts_of(snapshot: &Snapshot) -> Result<BTreeSet<Sha256Digest>, BackupError> {
    let mut digests = BTreeSet::new();
    for row in &snapshot.studies {
        let locked = row.locked.iter().map(|version| &version.protocol);
        digests.extend(locked.clone().map(|protocol| Sha256Digest::of(protocol)));
        for protocol in locked.chain(row.draft.iter().map(|draft| &draft.protocol)) {
            let protocol: Protocol = serde_json::from_slice(protocol)
                .map_err(|_| BackupError::ProtocolDamaged(row.study.clone()))?;
            digests.insert(protocol.model.digest);
        }
    }
    Ok(digests)
}

async fn write_artifact(
    folder: &Path,
    from: Holdings<'_>,
    digest: &Sha256Digest,
) -> Result<Option<Entry>, BackupError> {
    let Some(size) = from.artifacts.artifact_size(digest).await? else { return Ok(None) };
    let mut file = HashedFile::create(folder, &format!("{ARTIFACTS}/{digest}"))?;
    let mut offset = 0;
    while offset < size {
        let chunk = from.artifacts.artifact_read(digest, offset, CHUNK_BYTES as u64).await?;
        if chunk.is_empty() {
            break;
        }
        offset += chunk.len() as u64;
        file.write(&chunk)?;
    }
    let entry = file.finish()?;
    if entry.sha256 == *digest {
        Ok(Some(entry))
    } else {
        Err(BackupError::ArtifactDamaged(*digest))
    }
}

/// Copies a file to the same place below another folder.
pub(super) fn copy(from: &Path, to: &Path, path: &str) -> Result<Entry, BackupError> {
    if let Some(folder) = to.join(path).parent() {
        make_folder(folder)?;
    }
    let mut file = HashedFile::create(to, path)?;
    read_chunks(&from.join(path), |chunk| file.write(chunk))?;
    file.finish()
}
