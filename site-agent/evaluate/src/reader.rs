//! The first half of a lane: from a case's file or series, on a disk or in a PACS, to the model's input.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use fedval_disclosure::SiteLocal;
use fedval_ingest::{
    Case, DecodeFailure, DecodeRequest, Decoder, FetchError, FetchedVolume, IndexTest,
    InstanceName, Pacs, ReceivedImage,
};
use fedval_study::Sha256Digest;
use fedval_study::protocol::ModelInput;
use fedval_study::summary::FailureReason;
use fedval_vault::{CaseOutcome, Culprit};

use crate::lane::LaneError;
use crate::series;

/// A decoder, and what it is to make of a file.
pub(crate) struct Reader<'e> {
    pub(crate) input: &'e ModelInput,
    /// DICOM attributes to read along.
    pub(crate) keywords: &'e [String],
    pub(crate) decoder: Decoder,
    /// Largest image file that is read.
    pub(crate) max_file_bytes: u64,
    /// Where instances are fetched.
    pub(crate) pacs: Option<&'e Pacs>,
}

/// An image file with its digest.
pub(crate) type ImageFile = (Vec<u8>, Sha256Digest);

/// Why there is no image of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoImage {
    /// Under which it is counted.
    pub reason: FailureReason,
    /// Stable code that this site's people look up.
    pub code: &'static str,
}

impl NoImage {
    /// What is kept of its case.
    pub(crate) fn outcome(self) -> CaseOutcome {
        if self.code == Culprit::File.code() {
            CaseOutcome::Forbidden
        } else {
            CaseOutcome::Failed(self.reason)
        }
    }
}

/// The digest of a case's file, where it could be read, and its image.
pub(crate) type Looked<E> = (Option<Sha256Digest>, Result<SiteLocal<ReceivedImage>, E>);

impl Reader<'_> {
    /// A case as the study sees it: one without a reference standard is not looked at.
    pub(crate) async fn read(&mut self, case: &Case) -> Result<Looked<CaseOutcome>, LaneError> {
        if case.reference.is_none() {
            return Ok((None, Err(CaseOutcome::Failed(FailureReason::NoReference))));
        }
        let (digest, image) = self.look(case).await?;
        // No log line where there is none: whoever counts them knows how many of a site's cases fail.
        Ok((digest, image.map_err(NoImage::outcome)))
    }

    /// The same of any case, with the code that this site's people look up where there is no image.
    pub(crate) async fn look(&mut self, case: &Case) -> Result<Looked<NoImage>, LaneError> {
        if self.input.volume.is_some() {
            match case.index_test.image() {
                // Where the study is not of volumes, the manifest was refused for a folder.
                IndexTest::Image(folder) if series::is_folder(folder).await => {
                    return series::look(self, folder).await;
                }
                IndexTest::Instance(name) => return self.volume(name).await,
                _ => {}
            }
        }
        match self.file(case).await? {
            Ok(file) => self.decoded(file).await,
            Err(none) => Ok((None, Err(none))),
        }
    }

    /// A volume in the PACS: one file that holds it, or the files of its series.
    async fn volume(&mut self, name: &InstanceName) -> Result<Looked<NoImage>, LaneError> {
        let Some(pacs) = self.pacs else { return Ok((None, Err(UNREADABLE))) };
        match pacs.fetch_volume(name).await {
            Ok(FetchedVolume::Image(bytes)) => {
                let digest = Sha256Digest::of(&bytes);
                self.decoded((bytes, digest)).await
            }
            Ok(FetchedVolume::Series(files)) => series::look_at_fetched(self, files).await,
            Err(error) => Ok((None, Err(not_fetched(error)?))),
        }
    }

    async fn decoded(&mut self, (bytes, digest): ImageFile) -> Result<Looked<NoImage>, LaneError> {
        let request =
            DecodeRequest { input: self.input, dicom_attributes: self.keywords, bytes: &bytes };
        match self.decoder.decode(&request).await {
            Ok(image) => Ok((Some(digest), Ok(image))),
            Err(DecodeFailure::Case { reason, detail }) => {
                Ok((Some(digest), Err(NoImage { reason, code: detail })))
            }
            Err(error) => Err(LaneError::Machine(error)),
        }
    }

    /// Whether it may still turn out that the PACS, and no case, is at fault for the last failures.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.pacs.is_some_and(Pacs::is_in_doubt)
    }

    async fn file(&self, case: &Case) -> Result<Result<ImageFile, NoImage>, LaneError> {
        let path = match case.index_test.image() {
            IndexTest::Image(path) => path.clone(),
            IndexTest::Instance(name) => return self.fetch(name).await,
            IndexTest::Score(_)
            | IndexTest::Scores(_)
            | IndexTest::Findings(_)
            | IndexTest::Masks { .. }
            | IndexTest::Outlined { .. }
            | IndexTest::Searched { .. } => {
                return Ok(Err(UNREADABLE));
            }
        };
        Ok(self.at(path).await.ok_or(UNREADABLE))
    }

    /// The reference standard's mask beside an image that was read; none where the study judges no masks.
    pub(crate) async fn outline(&self, case: &Case) -> Result<Option<ImageFile>, NoImage> {
        match &case.index_test {
            IndexTest::Outlined { reference: Some(path), .. } => {
                self.at(path.clone()).await.map(Some).ok_or(UNREADABLE)
            }
            _ => Ok(None),
        }
    }

    async fn at(&self, path: PathBuf) -> Option<ImageFile> {
        let max_bytes = self.max_file_bytes;
        // All that waits for a disk at once: each turn to the threads that may wait costs more
        // than most files.
        let file = tokio::task::spawn_blocking(move || read_file(&path, max_bytes)).await;
        file.ok().flatten()
    }

    /// From the PACS into memory, and nowhere else.
    async fn fetch(&self, name: &InstanceName) -> Result<Result<ImageFile, NoImage>, LaneError> {
        let Some(pacs) = self.pacs else { return Ok(Err(UNREADABLE)) };
        match pacs.fetch(name).await {
            Ok(bytes) => {
                let digest = Sha256Digest::of(&bytes);
                Ok(Ok((bytes, digest)))
            }
            Err(error) => not_fetched(error).map(Err),
        }
    }
}

/// Why a case has no image, where that is the case's own.
fn not_fetched(error: FetchError) -> Result<NoImage, LaneError> {
    match error {
        FetchError::Case(fault) => Ok(NoImage { reason: fault.reason(), code: fault.code() }),
        FetchError::Pacs(error) => Err(LaneError::Pacs(error)),
    }
}

/// There are no bytes to decode.
pub(crate) const UNREADABLE: NoImage =
    NoImage { reason: FailureReason::Undecodable, code: "IMAGE_UNREADABLE" };

/// The image file's bytes and digest; `None` where it went away since the manifest was read, or is
/// larger than anything that would be decoded.
pub(crate) fn read_file(path: &Path, max_bytes: u64) -> Option<ImageFile> {
    // Opening a pipe would wait for a writer that never comes.
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let expected = metadata.len().min(max_bytes);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).ok()?);
    let file = File::open(path).ok()?;
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).ok()?;
    let digest = Sha256Digest::of(&bytes);
    (bytes.len() as u64 <= max_bytes).then_some((bytes, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a30_a_file_that_tried_to_break_out_is_kept_as_one_and_counted_as_undecodable() {
        let of = |code| NoImage { reason: FailureReason::Undecodable, code }.outcome();
        assert!(of("SANDBOX_FORBIDDEN_CALL") == CaseOutcome::Forbidden);
        assert!(of("DECODER_DIED") == CaseOutcome::Failed(FailureReason::Undecodable));
        assert_eq!(CaseOutcome::Forbidden.failure(), Some(FailureReason::Undecodable));
    }
}
