//! A case that is a folder, or a series in a PACS: the files of one series, each read twice from the disk and never all
//! of them held.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedval_disclosure::SiteLocal;
use fedval_ingest::{DecodeFailure, LARGEST_SERIES, PacsError, ReceivedImage, Spool};
use fedval_preprocess::volume::MOST_SLICES;
use fedval_study::Sha256Digest;
use fedval_study::digest::Digesting;
use fedval_study::summary::FailureReason;
use tokio::time::timeout;

use crate::lane::LaneError;
use crate::reader::{Looked, NoImage, Reader, UNREADABLE, read_file};
use crate::run::aside;

/// Entries of a folder that are looked at, those that are left out among them.
const MOST_ENTRIES: usize = 2 * MOST_SLICES;

const TOO_LARGE: NoImage = NoImage { reason: FailureReason::Unsupported, code: "SERIES_TOO_LARGE" };
const NOT_A_SERIES: NoImage = NoImage { reason: FailureReason::Unsupported, code: "SERIES_FOLDER" };
const TIMED_OUT: NoImage = NoImage { reason: FailureReason::Undecodable, code: "DECODER_TIMEOUT" };

/// What a slow or a full machine may cause, and no file: the same bytes may be a volume at the next try, and a digest of
/// them would call that another answer to the same question.
const OF_THE_MACHINE: [&str; 2] = ["DECODER_DIED", "DECODER_TIMEOUT"];

/// Why there is no volume.
enum Trouble {
    Case(NoImage),
    Machine(DecodeFailure),
    /// What was fetched cannot be read again.
    Pacs(PacsError),
}

/// Where the files of a series lie, each at its place from 0.
enum Files {
    Folder(Vec<PathBuf>),
    Fetched(Arc<Spool>),
}

impl Files {
    fn count(&self) -> usize {
        match self {
            Self::Folder(files) => files.len(),
            Self::Fetched(files) => files.count(),
        }
    }

    /// The UID of the series that they are to be of; of a folder it is not known.
    fn series(&self) -> Option<&str> {
        match self {
            Self::Folder(_) => None,
            Self::Fetched(files) => Some(files.series()),
        }
    }

    async fn read(&self, place: usize, max_bytes: u64) -> Result<(Vec<u8>, Sha256Digest), Trouble> {
        match self {
            Self::Folder(files) => {
                let file = files[place].clone();
                aside(move || read_file(&file, max_bytes)).await.ok_or(Trouble::Case(UNREADABLE))
            }
            Self::Fetched(files) => {
                let files = Arc::clone(files);
                let with_digest = |bytes: Vec<u8>| {
                    let digest = Sha256Digest::of(&bytes);
                    (bytes, digest)
                };
                let read = aside(move || files.read(place).map(with_digest));
                read.await.map_err(Trouble::Pacs)
            }
        }
    }
}

impl From<DecodeFailure> for Trouble {
    fn from(failure: DecodeFailure) -> Self {
        match failure {
            DecodeFailure::Case { reason, detail } => Self::Case(NoImage { reason, code: detail }),
            failure => Self::Machine(failure),
        }
    }
}

/// Whether a path is a folder, asked where waiting for a disk holds nobody up.
pub(crate) async fn is_folder(path: &Path) -> bool {
    let path = path.to_owned();
    aside(move || path.is_dir()).await
}

/// The volume of the files in `folder`; with the digest of all of them in the order of their names. See [`look_at`].
pub(crate) async fn look(
    reader: &mut Reader<'_>,
    folder: &Path,
) -> Result<Looked<NoImage>, LaneError> {
    let (folder, max_file_bytes) = (folder.to_owned(), reader.max_file_bytes);
    let files = match aside(move || listed(&folder, max_file_bytes)).await {
        Ok(files) => files,
        Err(none) => return Ok((None, Err(none))),
    };
    look_at(reader, &Files::Folder(files)).await
}

/// The same of the files of a series that were fetched, in the order of their UIDs.
pub(crate) async fn look_at_fetched(
    reader: &mut Reader<'_>,
    files: Spool,
) -> Result<Looked<NoImage>, LaneError> {
    look_at(reader, &Files::Fetched(Arc::new(files))).await
}

/// The volume of these files, and the digest of all of them in their order; absent where they could not all be looked at,
/// and where the machine may be to blame that there is no volume.
async fn look_at(reader: &mut Reader<'_>, files: &Files) -> Result<Looked<NoImage>, LaneError> {
    let mut digest = None;
    let patience = reader.decoder.series_patience();
    let volume = timeout(patience, decoded(reader, files, &mut digest)).await;
    match volume.unwrap_or(Err(Trouble::Case(TIMED_OUT))) {
        Ok(volume) => Ok((digest, Ok(volume))),
        Err(Trouble::Case(none)) => Ok((kept(digest, none), Err(none))),
        Err(Trouble::Machine(failure)) => Err(LaneError::Machine(failure)),
        Err(Trouble::Pacs(error)) => Err(LaneError::Pacs(error)),
    }
}

/// The digest under which a failure is kept.
fn kept(digest: Option<Sha256Digest>, none: NoImage) -> Option<Sha256Digest> {
    digest.filter(|_| !OF_THE_MACHINE.contains(&none.code))
}

async fn decoded(
    reader: &mut Reader<'_>,
    files: &Files,
    whole: &mut Option<Sha256Digest>,
) -> Result<SiteLocal<ReceivedImage>, Trouble> {
    let max_file_bytes = reader.max_file_bytes;
    let decoder = &mut reader.decoder;
    let mut series = decoder.series_of(reader.input, reader.keywords, files.series()).await?;
    let mut digests = Vec::with_capacity(files.count());
    for place in 0..files.count() {
        let (bytes, digest) = files.read(place, max_file_bytes).await?;
        series.look(&bytes).await?;
        digests.push(digest);
    }
    *whole = Some(digest_of(&digests));
    for place in series.order().await? {
        let (bytes, digest) = files.read(place, max_file_bytes).await?;
        if digest != digests[place] {
            // It was written anew since it was looked at.
            return Err(Trouble::Case(UNREADABLE));
        }
        series.take(&bytes).await?;
    }
    Ok(series.finish().await?)
}

fn digest_of(files: &[Sha256Digest]) -> Sha256Digest {
    let mut digesting = Digesting::default();
    for file in files {
        digesting.add(file.as_bytes());
    }
    digesting.done()
}

/// The files of a folder, by name. Hidden ones and a DICOMDIR are no slices; a folder in the folder, or a link that may
/// lead anywhere, is no series.
fn listed(folder: &Path, max_file_bytes: u64) -> Result<Vec<PathBuf>, NoImage> {
    let (mut files, mut bytes) = (Vec::new(), 0_u64);
    for (count, entry) in fs::read_dir(folder).map_err(|_| UNREADABLE)?.enumerate() {
        if count == MOST_ENTRIES || files.len() > MOST_SLICES {
            return Err(TOO_LARGE);
        }
        let entry = entry.map_err(|_| UNREADABLE)?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") || name == "DICOMDIR" {
            continue;
        }
        // Of the entry itself: links are not followed.
        let metadata = entry.metadata().map_err(|_| UNREADABLE)?;
        if !metadata.is_file() {
            return Err(NOT_A_SERIES);
        }
        bytes = bytes.saturating_add(metadata.len());
        if bytes > max_file_bytes.saturating_mul(LARGEST_SERIES) {
            return Err(TOO_LARGE);
        }
        files.push(entry.path());
    }
    if files.is_empty() {
        return Err(NOT_A_SERIES);
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_failure_of_the_machine_is_not_kept_as_the_files_own() {
        let digest = Some(Sha256Digest::of(b"every file"));
        let of = |code| kept(digest, NoImage { reason: FailureReason::Undecodable, code });
        assert_eq!(kept(digest, TIMED_OUT), None);
        assert_eq!(of("DECODER_DIED"), None);
        assert_eq!(of("IMAGE_CORRUPT"), digest);
    }

    #[test]
    fn a33_a_folder_is_not_left_and_its_files_are_counted() {
        let folder = tempfile::TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let code = |most| listed(folder.path(), most).map_err(|none| none.code);
        assert_eq!(code(100), Err("SERIES_FOLDER"), "there is nothing in it");
        for name in ["b", "a", ".DS_Store", "DICOMDIR"] {
            fs::write(at(name), [0; 40]).unwrap();
        }
        assert_eq!(code(100), Ok(vec![at("a"), at("b")]));
        assert_eq!(code(4), Err("SERIES_TOO_LARGE"));
        symlink("/", at("link")).unwrap();
        assert_eq!(code(100), Err("SERIES_FOLDER"));
        fs::remove_file(at("link")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        assert_eq!(code(100), Err("SERIES_FOLDER"));
    }
}
