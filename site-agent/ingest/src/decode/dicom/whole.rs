//! A data set as it is in memory, with all that is nested in it.
//!
//! Its reader makes and fills room for whatever length a value claims, up to four GiB of a file of a few KiB. So all
//! lengths are looked at first, and none is believed that passes the end of the file.

use std::io::Cursor;

use dicom_object::InMemDicomObject;
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use dicom_parser::stateful::decode::StatefulDecode as _;

use super::part10::Form;
use crate::decode::fault::ImageFault;

/// Reads the whole of it. A box bounds what it takes.
pub(super) fn read(bytes: &[u8], form: Form) -> Result<InMemDicomObject, ImageFault> {
    check_lengths(bytes, form)?;
    InMemDicomObject::read_dataset_with_ts(bytes, &form.syntax()).map_err(|_| ImageFault::Corrupt)
}

fn check_lengths(bytes: &[u8], form: Form) -> Result<(), ImageFault> {
    let mut reader = LazyDataSetReader::new_with_ts(Cursor::new(bytes), &form.syntax())
        .map_err(|_| ImageFault::Corrupt)?;
    while let Some(token) = reader.advance() {
        let (length, decoder) = match token.map_err(|_| ImageFault::Corrupt)? {
            LazyDataToken::LazyValue { header, decoder } => (header.len.0, decoder),
            LazyDataToken::LazyItemValue { len, decoder } => (len, decoder),
            _ => continue,
        };
        let start = usize::try_from(decoder.position()).map_err(|_| ImageFault::Corrupt)?;
        let rest = bytes.get(start..).ok_or(ImageFault::Corrupt)?;
        if rest.len() < length as usize {
            return Err(ImageFault::Corrupt);
        }
        decoder.skip_bytes(length).map_err(|_| ImageFault::Corrupt)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One element that claims so many bytes and has four.
    fn claiming(length: u32) -> Vec<u8> {
        let mut element = b"\x10\0\x10\0OB\0\0".to_vec();
        element.extend(length.to_le_bytes());
        element.extend([0; 4]);
        element
    }

    #[test]
    fn no_length_of_a_data_set_passes_its_end() {
        assert_eq!(check_lengths(&claiming(4), Form::ExplicitLittle), Ok(()));
        for length in [6, 1 << 31, u32::MAX - 1] {
            let checked = check_lengths(&claiming(length), Form::ExplicitLittle);
            assert_eq!(checked, Err(ImageFault::Corrupt), "{length}");
        }
    }
}
