//! The model's file as its box reads it: whole, and not before its digest is known to be the
//! protocol's is anything of it parsed.

use std::io::Read;

use fedval_study::digest::Sha256Digest;
use fedval_study::protocol::ModelSpecification;
use sha2::{Digest as _, Sha256};

use crate::exchange::Refusal;

/// The digest is made of so many bytes at a time, while they are still in the processor's cache.
const PIECE_BYTES: u64 = 256 << 10;

/// The file's bytes, if they are the ones that the protocol pins.
///
/// The same bytes are compared and then parsed: a file that changes meanwhile changes nothing.
pub(crate) fn read(
    mut file: impl Read,
    specification: &ModelSpecification,
) -> Result<Vec<u8>, Refusal> {
    let bytes = usize::try_from(specification.bytes).map_err(|_| Refusal::TooLarge)?;
    let mut model = Vec::new();
    model.try_reserve_exact(bytes).map_err(|_| Refusal::TooLarge)?;
    let mut digest = Sha256::new();
    // One byte more than there should be shows that there are too many.
    while model.len() <= bytes {
        let (read, most) = (model.len(), PIECE_BYTES.min((bytes - model.len()) as u64 + 1));
        let piece = file.by_ref().take(most).read_to_end(&mut model);
        if piece.map_err(|_| Refusal::DigestMismatch)? == 0 {
            break;
        }
        digest.update(&model[read..]);
    }
    let is_whole = model.len() == bytes;
    let digest = Sha256Digest::from_bytes(digest.finalize().into());
    if is_whole && digest == specification.digest.0 {
        Ok(model)
    } else {
        Err(Refusal::DigestMismatch)
    }
}
