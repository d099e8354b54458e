//! The first half of a lane: from a case's file to the model's input.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use fedval_disclosure::SiteLocal;
use fedval_ingest::{Case, DecodeFailure, DecodeRequest, Decoder, IndexTest, ReceivedImage};
use fedval_study::Sha256Digest;
use fedval_study::protocol::ModelInput;
use fedval_study::summary::FailureReason;

use crate::lane::LaneError;

/// A decoder, and what it is to make of a file.
pub(crate) struct Reader<'e> {
    pub(crate) input: &'e ModelInput,
    /// DICOM attributes to read along.
    pub(crate) keywords: &'e [String],
    pub(crate) decoder: Decoder,
    /// Largest image file that is read.
    pub(crate) max_file_bytes: u64,
}

impl Reader<'_> {
    /// The digest of a case's file, where it could be read, and its image.
    pub(crate) async fn read(
        &mut self,
        case: &Case,
    ) -> Result<(Option<Sha256Digest>, Result<SiteLocal<ReceivedImage>, FailureReason>), LaneError>
    {
        if case.reference.is_none() {
            return Ok((None, Err(FailureReason::NoReference)));
        }
        let (digest, image) = self.look(case).await;
        match image {
            Ok(image) => Ok((digest, Ok(image))),
            // No log line: whoever counts them knows how many of a site's cases fail.
            Err(DecodeFailure::Case { reason, .. }) => Ok((digest, Err(reason))),
            Err(error) => Err(LaneError::Machine(error)),
        }
    }

    /// The same of any case, with the code that this site's people look up where there is no image.
    pub(crate) async fn look(
        &mut self,
        case: &Case,
    ) -> (Option<Sha256Digest>, Result<SiteLocal<ReceivedImage>, DecodeFailure>) {
        let IndexTest::Image(path) = case.index_test.clone() else {
            return (None, Err(unread()));
        };
        let max_bytes = self.max_file_bytes;
        // All that waits for a disk at once: each turn to the threads that may wait costs more
        // than most files.
        let file = tokio::task::spawn_blocking(move || read_file(&path, max_bytes)).await;
        let Some((bytes, digest)) = file.ok().flatten() else {
            return (None, Err(unread()));
        };
        let request =
            DecodeRequest { input: self.input, dicom_attributes: self.keywords, bytes: &bytes };
        (Some(digest), self.decoder.decode(&request).await)
    }
}

/// There are no bytes to decode.
const fn unread() -> DecodeFailure {
    DecodeFailure::Case { reason: FailureReason::Undecodable, detail: "IMAGE_UNREADABLE" }
}

/// The image file's bytes and digest; `None` where it went away since the manifest was read, or is
/// larger than anything that would be decoded.
fn read_file(path: &Path, max_bytes: u64) -> Option<(Vec<u8>, Sha256Digest)> {
    // Opening a pipe would wait for a writer that never comes.
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let expected = metadata.len().min(max_bytes);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).ok()?);
    let file = File::open(path).ok()?;
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).ok()?;
    let digest = Sha256Digest::of(&bytes);
    (bytes.len() as u64 <= max_bytes).then_some((bytes, digest))
}
