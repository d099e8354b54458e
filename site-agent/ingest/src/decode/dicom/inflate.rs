//! Bytes that were deflated, as RFC 1951 has it: a data set, or one frame.

use std::io::Read as _;

use flate2::read::DeflateDecoder;

use crate::decode::fault::ImageFault;

/// Inflates up to `most` bytes, and one more where there are more: a few bytes can stand for any number.
pub(super) fn inflated(deflated: &[u8], most: u64) -> Result<Vec<u8>, ImageFault> {
    let mut bytes = Vec::new();
    let mut reader = DeflateDecoder::new(deflated).take(most.saturating_add(1));
    reader.read_to_end(&mut bytes).map_err(|_| ImageFault::Corrupt)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    #[test]
    fn no_more_is_inflated_than_shows_that_there_is_more() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&[7; 10_000]).unwrap();
        let deflated = encoder.finish().unwrap();
        let length = |most| inflated(&deflated, most).map(|bytes| bytes.len());
        assert_eq!(length(20_000), Ok(10_000));
        assert_eq!(length(10_000), Ok(10_000));
        assert_eq!(length(100), Ok(101));
        let padded = [&deflated[..], &[0]].concat();
        assert_eq!(inflated(&padded, 10_000), inflated(&deflated, 10_000));
        let cut = &deflated[..deflated.len() / 2];
        assert_eq!(inflated(cut, 20_000), Err(ImageFault::Corrupt));
    }
}
