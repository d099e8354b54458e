//! A data set with its sequences, as places in the file: nothing is copied, no length is believed that the file cannot
//! hold, and only what is asked for is kept, up to a depth and a number of items that no honest file has.

use std::io::Cursor;

use dicom_core::Tag;
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use dicom_parser::stateful::decode::StatefulDecode;

use super::data_set::actual;
use super::part10::{Coding, Part10};
use crate::decode::fault::ImageFault;

/// Most sequences within each other.
const MAX_DEPTH: usize = 32;

/// Most items that are kept: contours of a hundred structures in a few hundred slices, with room.
const MAX_ITEMS: usize = 1 << 18;

/// The data set, or an item of a sequence: what was asked for of it.
#[derive(Default)]
pub(super) struct Item<'a> {
    values: Vec<(Tag, &'a [u8])>,
    sequences: Vec<(Tag, Vec<Self>)>,
}

impl<'a> Item<'a> {
    /// Reads a whole data set without pixels. `wanted` are the tags of values and of sequences that are kept.
    pub(super) fn read(file: &'a Part10<'_>, wanted: &[Tag]) -> Result<Self, ImageFault> {
        if file.coding != Coding::Native {
            return Err(ImageFault::TransferSyntax);
        }
        let bytes = &file.data_set[..];
        let form = actual(bytes, file.form);
        let mut reader = LazyDataSetReader::new_with_ts(Cursor::new(bytes), &form.syntax())
            .map_err(|_| ImageFault::Corrupt)?;
        let (open, root) = (Vec::new(), Self::default());
        let mut walk = Walk { bytes, wanted, open, root, items_left: MAX_ITEMS };
        while let Some(token) = reader.advance() {
            walk.take(token.map_err(|_| ImageFault::Corrupt)?)?;
        }
        if walk.open.is_empty() { Ok(walk.root) } else { Err(ImageFault::Corrupt) }
    }

    /// The items of a sequence; none where there is no such sequence.
    pub(super) fn items(&self, tag: Tag) -> &[Self] {
        let found = self.sequences.iter().find(|(of, _)| *of == tag);
        found.map(|(_, items)| items.as_slice()).unwrap_or_default()
    }

    /// The bytes of a value as they stand in the file; `None` of an empty one.
    pub(super) fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        let found = self.values.iter().find(|(of, _)| *of == tag);
        found.map(|(_, bytes)| *bytes).filter(|bytes| !bytes.is_empty())
    }

    /// A text without padding.
    pub(super) fn text(&self, tag: Tag) -> Option<&'a str> {
        let text = std::str::from_utf8(self.bytes(tag)?).ok()?.trim_matches([' ', '\0']);
        Some(text).filter(|text| !text.is_empty())
    }

    /// How many numbers a value of decimal text holds.
    pub(super) fn count(&self, tag: Tag) -> usize {
        self.bytes(tag).map_or(0, |bytes| bytes.split(|byte| *byte == b'\\').count())
    }

    /// The numbers of a value of decimal text; none of an absent one, and refused where one is no finite number.
    pub(super) fn decimals(&self, tag: Tag) -> Result<Vec<f64>, ImageFault> {
        let Some(bytes) = self.bytes(tag) else { return Ok(Vec::new()) };
        let text = std::str::from_utf8(bytes).map_err(|_| ImageFault::Corrupt)?;
        let number = |text: &str| {
            let number = text.trim_matches([' ', '\0']).parse().ok();
            number.filter(|number: &f64| number.is_finite()).ok_or(ImageFault::Corrupt)
        };
        text.split('\\').map(number).collect()
    }
}

/// A sequence that has begun and not ended.
struct Open<'a> {
    tag: Tag,
    is_kept: bool,
    items: Vec<Item<'a>>,
}

struct Walk<'a, 'w> {
    bytes: &'a [u8],
    wanted: &'w [Tag],
    open: Vec<Open<'a>>,
    root: Item<'a>,
    items_left: usize,
}

impl<'a> Walk<'a, '_> {
    fn take<D: StatefulDecode>(&mut self, token: LazyDataToken<D>) -> Result<(), ImageFault> {
        match token {
            LazyDataToken::SequenceStart { tag, .. } => self.begin(tag)?,
            LazyDataToken::ItemStart { .. } => self.begin_item()?,
            LazyDataToken::SequenceEnd => self.end(),
            LazyDataToken::LazyValue { header, mut decoder } => {
                let value = self.value(decoder.position(), header.len.0)?;
                if self.wanted.contains(&header.tag)
                    && let Some(item) = self.item()
                {
                    item.values.push((header.tag, value));
                }
                decoder.skip_bytes(header.len.0).map_err(|_| ImageFault::Corrupt)?;
            }
            // Fragments of pixels have no place here.
            LazyDataToken::PixelSequenceStart | LazyDataToken::LazyItemValue { .. } => {
                return Err(ImageFault::Corrupt);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, tag: Tag) -> Result<(), ImageFault> {
        if self.open.len() == MAX_DEPTH {
            return Err(ImageFault::Corrupt);
        }
        let is_kept = self.wanted.contains(&tag) && self.open.last().is_none_or(|of| of.is_kept);
        self.open.push(Open { tag, is_kept, items: Vec::new() });
        Ok(())
    }

    fn begin_item(&mut self) -> Result<(), ImageFault> {
        let Some(open) = self.open.last_mut().filter(|open| open.is_kept) else { return Ok(()) };
        self.items_left = self.items_left.checked_sub(1).ok_or(ImageFault::Size)?;
        open.items.push(Item::default());
        Ok(())
    }

    fn end(&mut self) {
        let Some(ended) = self.open.pop().filter(|ended| ended.is_kept) else { return };
        if let Some(item) = self.item() {
            item.sequences.push((ended.tag, ended.items));
        }
    }

    /// What a value here belongs to; `None` in a sequence that nobody asked for.
    fn item(&mut self) -> Option<&mut Item<'a>> {
        match self.open.last_mut() {
            None => Some(&mut self.root),
            Some(open) => open.items.last_mut(),
        }
    }

    /// The bytes of a value, if the file has them.
    fn value(&self, start: u64, length: u32) -> Result<&'a [u8], ImageFault> {
        let start = usize::try_from(start).map_err(|_| ImageFault::Corrupt)?;
        let rest = self.bytes.get(start..).ok_or(ImageFault::Corrupt)?;
        rest.get(..length as usize).ok_or(ImageFault::Corrupt)
    }
}
