//! Ids, digests and wide integers.

use std::str::FromStr;

use fedval_proto as proto;
use fedval_study::Sha256Digest;

use crate::WireError;

/// Reads an identifier.
///
/// # Errors
///
/// [`WireError`] if the text is not of the allowed characters or length.
pub fn id<T: FromStr>(field: &'static str, text: &str) -> Result<T, WireError> {
    text.parse().map_err(|_| WireError::new(field, "must be an identifier"))
}

/// Reads a digest.
///
/// # Errors
///
/// [`WireError`] if the bytes are not 32.
pub fn digest(field: &'static str, bytes: &[u8]) -> Result<Sha256Digest, WireError> {
    Sha256Digest::try_from(bytes).map_err(|_| WireError::new(field, "must be 32 bytes"))
}

/// A digest that may be absent (no bytes).
pub(crate) fn optional_digest(
    field: &'static str,
    bytes: &[u8],
) -> Result<Option<Sha256Digest>, WireError> {
    if bytes.is_empty() { Ok(None) } else { digest(field, bytes).map(Some) }
}

/// Splits an integer of 128 bits.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
pub const fn wide_to_wire(number: u128) -> proto::Wide {
    proto::Wide { high: (number >> 64) as u64, low: number as u64 }
}

/// Joins an integer of 128 bits; an absent one is zero, as protobuf has it.
#[must_use]
pub fn wide_from_wire(wide: Option<proto::Wide>) -> u128 {
    wide.map_or(0, |wide| (u128::from(wide.high) << 64) | u128::from(wide.low))
}

/// Reads an enumeration; 0 and numbers of other versions are refused.
pub(crate) fn enumeration<E: TryFrom<i32>, T>(
    field: &'static str,
    number: i32,
    translate: impl FnOnce(E) -> Option<T>,
) -> Result<T, WireError> {
    E::try_from(number)
        .ok()
        .and_then(translate)
        .ok_or(WireError::new(field, "must be a known value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_integer_survives_the_wire() {
        for number in [0, 1, u128::from(u64::MAX), u128::MAX, 1 << 64] {
            assert_eq!(wide_from_wire(Some(wide_to_wire(number))), number);
        }
    }
}
