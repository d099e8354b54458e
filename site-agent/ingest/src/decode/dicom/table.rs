//! Look-up tables that a file carries (PS3.3 C.11.1, C.11.2, C.7.6.3.1.5).

use dicom_core::Tag;
use fedval_preprocess::LookupTable;

use super::data_set::DataSet;
use super::part10::Form;
use crate::decode::fault::ImageFault;

/// Reads the table that `descriptor` and `data` make up. `is_signed` says how its input is
/// meant.
pub(super) fn read(
    data_set: &DataSet<'_>,
    within: Option<Tag>,
    descriptor: Tag,
    data: Tag,
    is_signed: bool,
) -> Result<LookupTable, ImageFault> {
    let Descriptor { count, first, bits } =
        Descriptor::read(data_set, within, descriptor, is_signed)?;
    let bytes = data_set.bytes(within, data).ok_or(ImageFault::ValueMapping)?;
    let mut entries = if bytes.len() >= 2 * count {
        data_set.words(within, data).unwrap_or_default()
    } else if bits == 8 && bytes.len() >= count {
        single_bytes(bytes, data_set.form())
    } else {
        return Err(ImageFault::ValueMapping);
    };
    entries.truncate(count);
    LookupTable::new(first, entries, bits).ok_or(ImageFault::ValueMapping)
}

/// What a table says of itself.
pub(super) struct Descriptor {
    /// Entries, 1 to 65,536.
    pub(super) count: usize,
    /// The input that the first one stands for.
    pub(super) first: i64,
    /// Of an entry.
    pub(super) bits: u32,
}

impl Descriptor {
    pub(super) fn read(
        data_set: &DataSet<'_>,
        within: Option<Tag>,
        descriptor: Tag,
        is_signed: bool,
    ) -> Result<Self, ImageFault> {
        let words = data_set.words(within, descriptor).ok_or(ImageFault::ValueMapping)?;
        let [count, first, bits] = words[..] else { return Err(ImageFault::ValueMapping) };
        let count = if count == 0 { 1 << 16 } else { usize::from(count) };
        let first = if is_signed { first.cast_signed().into() } else { first.into() };
        Ok(Self { count, first, bits: bits.into() })
    }
}

/// Two entries in a word, the first in its low byte.
pub(super) fn single_bytes(bytes: &[u8], form: Form) -> Vec<u16> {
    let (pairs, _) = bytes.as_chunks::<2>();
    match form {
        Form::ExplicitBig => pairs.iter().flat_map(|p| [p[1].into(), p[0].into()]).collect(),
        Form::ImplicitLittle | Form::ExplicitLittle => bytes.iter().map(|b| (*b).into()).collect(),
    }
}
