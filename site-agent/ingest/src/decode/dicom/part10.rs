//! The file around the data set: preamble, file meta information, transfer syntax (PS3.10).

use std::borrow::Cow;

use dicom_dictionary_std::uids;
use dicom_encoding::TransferSyntax;
use dicom_encoding::decode::{Decode as _, file_header_decoder};
use dicom_object::FileMetaTable;
use dicom_transfer_syntax_registry::entries;

use super::inflate::inflated;
use crate::decode::fault::ImageFault;

/// Retired, and still what old archives hold.
const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Where the preamble ends.
const PREAMBLE_BYTES: usize = 128;

/// Bytes before the value of the group length: `DICM`, then the element's tag, form and length.
const META_HEAD_BYTES: usize = 12;

/// Longest deflated data set once inflated, in bytes: that of the largest file that is looked at.
const MAX_INFLATED_BYTES: u64 = 256 << 20;

/// How the elements of a data set are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
}

impl Form {
    pub(super) fn syntax(self) -> TransferSyntax {
        match self {
            Self::ImplicitLittle => entries::IMPLICIT_VR_LITTLE_ENDIAN.erased(),
            Self::ExplicitLittle => entries::EXPLICIT_VR_LITTLE_ENDIAN.erased(),
            Self::ExplicitBig => entries::EXPLICIT_VR_BIG_ENDIAN.erased(),
        }
    }
}

/// How the pixels inside the data set are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As they are, in the data set's byte order.
    Native,
    /// In fragments, as they are, little-endian.
    Plain,
    /// In fragments, each frame deflated by itself.
    Deflated,
    /// DICOM's own run lengths.
    RunLength,
    /// JPEG with a discrete cosine transform.
    Jpeg,
    /// JPEG with prediction.
    JpegLossless,
    /// JPEG-LS, lossless or nearly so.
    JpegLs,
    /// JPEG 2000, with either block coder.
    Jpeg2000,
}

/// A file whose transfer syntax is read.
pub(super) struct Part10<'a> {
    /// The data set, inflated where it was deflated.
    pub(super) data_set: Cow<'a, [u8]>,
    pub(super) form: Form,
    pub(super) coding: Coding,
    /// What the file says it is: the UID of its SOP class.
    pub(super) sop_class: String,
}

impl<'a> Part10<'a> {
    /// Refuses a transfer syntax that is not read before the data set is parsed by its rules.
    pub(super) fn read(file: &'a [u8]) -> Result<Self, ImageFault> {
        let mut rest = file.get(PREAMBLE_BYTES..).ok_or(ImageFault::Corrupt)?;
        check_lengths(rest)?;
        let meta = FileMetaTable::from_reader(&mut rest).map_err(|_| ImageFault::Corrupt)?;
        let syntax = meta.transfer_syntax().trim_end_matches(['\0', ' ']);
        let (form, coding) = known(syntax).ok_or(ImageFault::TransferSyntax)?;
        let data_set = match syntax {
            uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => Cow::Owned(inflated_data_set(rest)?),
            _ => Cow::Borrowed(rest),
        };
        let sop_class = meta.media_storage_sop_class_uid().to_owned();
        Ok(Self { data_set, form, coding, sop_class })
    }
}

/// The reader of the meta information makes and fills room for whatever length an element of it claims, four GiB in
/// a file of one KiB. None may pass the end of the file.
fn check_lengths(meta: &[u8]) -> Result<(), ImageFault> {
    let value = meta.get(META_HEAD_BYTES..).and_then(|rest| rest.split_first_chunk());
    let (group, mut rest) = value.ok_or(ImageFault::Corrupt)?;
    let group = u32::from_le_bytes(*group) as usize;
    let behind = rest.len().checked_sub(group).ok_or(ImageFault::Corrupt)?;
    let decoder = file_header_decoder();
    while rest.len() > behind {
        let (element, _) = decoder.decode_header(&mut rest).map_err(|_| ImageFault::Corrupt)?;
        let length = element.len.get().ok_or(ImageFault::Corrupt)? as usize;
        rest = rest.get(length..).ok_or(ImageFault::Corrupt)?;
    }
    Ok(())
}

/// Whether a transfer syntax is read.
pub(crate) fn reads_syntax(syntax: &str) -> bool {
    known(syntax).is_some()
}

fn known(syntax: &str) -> Option<(Form, Coding)> {
    let encapsulated = |coding| Some((Form::ExplicitLittle, coding));
    match syntax {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => Some((Form::ImplicitLittle, Coding::Native)),
        uids::EXPLICIT_VR_LITTLE_ENDIAN | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => {
            Some((Form::ExplicitLittle, Coding::Native))
        }
        EXPLICIT_VR_BIG_ENDIAN => Some((Form::ExplicitBig, Coding::Native)),
        uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN => encapsulated(Coding::Plain),
        uids::DEFLATED_IMAGE_FRAME_COMPRESSION => encapsulated(Coding::Deflated),
        uids::RLE_LOSSLESS => encapsulated(Coding::RunLength),
        uids::JPEG_BASELINE8_BIT | uids::JPEG_EXTENDED12_BIT => encapsulated(Coding::Jpeg),
        uids::JPEG_LOSSLESS | uids::JPEG_LOSSLESS_SV1 => encapsulated(Coding::JpegLossless),
        uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => encapsulated(Coding::JpegLs),
        uids::JPEG2000_LOSSLESS
        | uids::JPEG2000
        | uids::HTJ2K_LOSSLESS
        | uids::HTJ2K_LOSSLESS_RPCL
        | uids::HTJ2K => encapsulated(Coding::Jpeg2000),
        _ => None,
    }
}

/// Inflates a data set up to the limit.
fn inflated_data_set(deflated: &[u8]) -> Result<Vec<u8>, ImageFault> {
    let data_set = inflated(deflated, MAX_INFLATED_BYTES)?;
    if data_set.len() as u64 > MAX_INFLATED_BYTES {
        return Err(ImageFault::Corrupt);
    }
    Ok(data_set)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    #[test]
    fn what_inflates_beyond_the_limit_is_refused() {
        let deflate = |zeros: usize| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            let block = vec![0; 1 << 20];
            (0..zeros >> 20).for_each(|_| encoder.write_all(&block).unwrap());
            encoder.finish().unwrap()
        };
        assert_eq!(inflated_data_set(&deflate(1 << 20)).map(|bytes| bytes.len()), Ok(1 << 20));
        assert_eq!(inflated_data_set(&deflate(257 << 20)), Err(ImageFault::Corrupt));
    }

    /// Meta information of one element behind the group length, which claims so many bytes and has four.
    fn claiming(length: u32, group: u32) -> Vec<u8> {
        let mut meta = b"DICM\x02\0\0\0UL\x04\0".to_vec();
        meta.extend(group.to_le_bytes());
        meta.extend(b"\x02\0\x02\x01OB\0\0");
        meta.extend(length.to_le_bytes());
        meta.extend([0; 4]);
        meta
    }

    #[test]
    fn no_length_of_the_meta_information_passes_the_end_of_the_file() {
        assert_eq!(check_lengths(&claiming(4, 16)), Ok(()));
        for (length, group) in [(5, 16), (u32::MAX - 1, 16), (u32::MAX, 16), (4, 17), (4, u32::MAX)]
        {
            assert_eq!(
                check_lengths(&claiming(length, group)),
                Err(ImageFault::Corrupt),
                "{length} {group}"
            );
        }
    }
}
