//! The one byte form of a value that is digested and signed: JSON by RFC 8785.

mod key;
mod writer;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use crate::digest::Sha256Digest;

/// Integers from 2⁵³ on lose digits in a JSON number.
const EXACT_IN_JSON: u64 = 1 << 53;

/// A value has no canonical form, or bytes are not one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// The value holds something that JSON cannot carry exactly.
    #[error("the value has no canonical JSON form")]
    Unrepresentable(#[source] serde_json::Error),
    /// The bytes are not the JSON of the expected type.
    #[error("the document is not what its schema says")]
    NotTheType(#[source] serde_json::Error),
    /// The bytes parse, but writing the value again gives other bytes: something rides along.
    #[error("the document is not in canonical form")]
    NotCanonical,
}

/// A value together with its canonical bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Canonical<T> {
    value: T,
    bytes: Vec<u8>,
}

/// Writes the canonical form of a value behind what stands in `out`, for documents that are written in parts.
///
/// # Errors
///
/// As [`Canonical::new`]; nothing is left in `out` then.
pub fn append<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    *out = writer::write(value, std::mem::take(out)).map_err(CanonicalError::Unrepresentable)?;
    Ok(())
}

/// The canonical form of a value that stays where it is, with room for so many bytes from the start.
fn canonical_bytes<T: Serialize + ?Sized>(
    value: &T,
    room: usize,
) -> Result<Vec<u8>, CanonicalError> {
    let mut bytes = Vec::with_capacity(room);
    append(value, &mut bytes)?;
    // They are kept as long as the value is.
    bytes.shrink_to_fit();
    Ok(bytes)
}

impl<T: Serialize> Canonical<T> {
    /// Writes `value` in its canonical form.
    ///
    /// # Errors
    ///
    /// [`CanonicalError::Unrepresentable`] for counts that are not exact in JSON. A number that is
    /// not finite becomes `null`, which [`parse`](Self::parse) then refuses.
    pub fn new(value: T) -> Result<Self, CanonicalError> {
        let bytes = canonical_bytes(&value, 0)?;
        Ok(Self { value, bytes })
    }
}

impl<T: Serialize + DeserializeOwned> Canonical<T> {
    /// Reads a value from bytes that must be exactly its canonical form.
    ///
    /// # Errors
    ///
    /// [`CanonicalError`] if the bytes are of another type or another form of the same value.
    pub fn parse(bytes: &[u8]) -> Result<Self, CanonicalError> {
        // Texts are not held against UTF-8 one by one where all of it is.
        let value: Result<T, _> = match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(bytes),
        };
        let value = value.map_err(CanonicalError::NotTheType)?;
        let again = canonical_bytes(&value, bytes.len())?;
        if again != bytes {
            return Err(CanonicalError::NotCanonical);
        }
        Ok(Self { value, bytes: again })
    }
}

impl<T> Canonical<T> {
    /// The value.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The bytes that are digested and signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub fn digest(&self) -> Sha256Digest {
        Sha256Digest::of(&self.bytes)
    }

    /// Takes the bytes out.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Takes both out.
    #[must_use]
    pub fn into_parts(self) -> (T, Vec<u8>) {
        (self.value, self.bytes)
    }

    /// Takes the value out.
    #[must_use]
    pub fn into_value(self) -> T {
        self.value
    }
}

/// Writes a count as a JSON number, refusing one that a JSON reader would round.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(crate) fn exact_u64<S: Serializer>(count: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    if *count >= EXACT_IN_JSON {
        return Err(serde::ser::Error::custom("a count of 2^53 or more"));
    }
    serializer.serialize_u64(*count)
}

/// Writes a signed fixed-point number, refusing one that a JSON reader would round.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(crate) fn exact_i64<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.unsigned_abs() >= EXACT_IN_JSON {
        return Err(serde::ser::Error::custom("a number of 2^53 or more"));
    }
    serializer.serialize_i64(*number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn only_the_canonical_bytes_of_a_value_are_read() {
        let canonical =
            Canonical::new(BTreeMap::from([("b".to_owned(), 1), ("a".to_owned(), 2)])).unwrap();
        assert_eq!(canonical.bytes(), br#"{"a":2,"b":1}"#);
        assert!(Canonical::<BTreeMap<String, i32>>::parse(br#"{"a":2,"b":1}"#).is_ok());
        for other in [&br#"{"b":1,"a":2}"#[..], br#"{"a":2, "b":1}"#, br#"{"a":9,"a":2,"b":1}"#] {
            assert!(matches!(
                Canonical::<BTreeMap<String, i32>>::parse(other),
                Err(CanonicalError::NotCanonical)
            ));
        }
    }

    #[test]
    fn a_number_that_is_not_finite_has_no_canonical_form() {
        // serde_json writes NaN as null, which then does not read back as a number.
        let bytes = Canonical::new(vec![f64::NAN]);
        assert!(bytes.is_err() || Canonical::<Vec<f64>>::parse(bytes.unwrap().bytes()).is_err());
    }
}
