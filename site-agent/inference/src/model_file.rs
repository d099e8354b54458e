//! The model's file as its box reads it: whole, and not before its digest is known to be the
//! protocol's is anything of it parsed.

use std::io::Read;

use fedval_study::digest::Sha256Digest;
use fedval_study::protocol::ModelSpecification;

use crate::exchange::Refusal;

/// The file's bytes, if they are the ones that the protocol pins.
///
/// The same bytes are compared and then parsed: a file that changes meanwhile changes nothing.
pub(crate) fn read(
    file: impl Read,
    specification: &ModelSpecification,
) -> Result<Vec<u8>, Refusal> {
    let bytes = usize::try_from(specification.bytes).map_err(|_| Refusal::TooLarge)?;
    let mut model = Vec::new();
    model.try_reserve_exact(bytes).map_err(|_| Refusal::TooLarge)?;
    // One byte more than there should be shows that there are too many.
    let read = file.take(specification.bytes.saturating_add(1)).read_to_end(&mut model);
    read.map_err(|_| Refusal::DigestMismatch)?;
    let is_pinned = model.len() == bytes && Sha256Digest::of(&model) == specification.digest.0;
    if is_pinned { Ok(model) } else { Err(Refusal::DigestMismatch) }
}
