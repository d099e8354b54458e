//! The few elements of a data set that matter here, as places in the file: nothing is copied, and
//! no length is believed that the file cannot hold.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use dicom_parser::stateful::decode::StatefulDecode;

use super::part10::Form;
use crate::decode::fault::ImageFault;

/// Pixel data in one of the forms that a file may carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PixelData<'a> {
    /// Frames one after the other.
    Native {
        bytes: &'a [u8],
        /// Written as 16-bit words, which big-endian files keep with the high byte first.
        is_words: bool,
    },
    /// The offset table and the pieces behind it.
    Fragments { offsets: &'a [u8], fragments: Vec<Fragment<'a>> },
}

/// A piece of compressed pixel data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fragment<'a> {
    /// Where its item begins, counted from the first one.
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
}

/// An element at the root, or in the first item of a sequence at the root.
type Place = (Option<Tag>, Tag);

/// An element in the functional group of a frame, which counts from 0.
type FramePlace = (u32, Tag, Tag);

/// What was read of a data set.
#[derive(Debug)]
pub(super) struct DataSet<'a> {
    form: Form,
    elements: BTreeMap<Place, &'a [u8]>,
    pixels: Option<PixelData<'a>>,
    /// What frames say of their values, each for itself.
    frames: BTreeMap<FramePlace, &'a [u8]>,
    /// The groups in which any does.
    by_frame: BTreeSet<Tag>,
    /// Frames that have functional groups of their own.
    frame_items: u32,
}

impl<'a> DataSet<'a> {
    /// Reads up to the pixel data.
    pub(super) fn read(bytes: &'a [u8], form: Form) -> Result<Self, ImageFault> {
        let form = actual(bytes, form);
        let mut walk = Walk::new(bytes, form);
        let mut reader = LazyDataSetReader::new_with_ts(Cursor::new(bytes), &form.syntax())
            .map_err(|_| ImageFault::Corrupt)?;
        while let Some(token) = reader.advance() {
            walk.take(token.map_err(|_| ImageFault::Corrupt)?)?;
            if walk.is_complete {
                break;
            }
        }
        if !walk.is_complete && !walk.open.is_empty() {
            return Err(ImageFault::Corrupt);
        }
        Ok(walk.data_set)
    }

    pub(super) const fn form(&self) -> Form {
        self.form
    }

    pub(super) fn pixels(&self) -> Result<&PixelData<'a>, ImageFault> {
        self.pixels.as_ref().ok_or(ImageFault::DescriptionMissing)
    }

    pub(super) fn has(&self, tag: Tag) -> bool {
        self.elements.contains_key(&(None, tag))
    }

    /// Whether there is a sequence `tag` at the root, with at least one element in its first item.
    pub(super) fn has_item(&self, tag: Tag) -> bool {
        let first = (Some(tag), Tag(0, 0));
        self.elements.range(first..).next().is_some_and(|((within, _), _)| *within == Some(tag))
    }

    /// Whether any frame has the functional group `group`, one of [`MAPPINGS`], for itself.
    pub(super) fn is_by_frame(&self, group: Tag) -> bool {
        self.by_frame.contains(&group)
    }

    /// How many frames have functional groups of their own.
    pub(super) const fn frame_items(&self) -> u32 {
        self.frame_items
    }

    /// Whether the frame at `index`, from 0, has the functional group for itself.
    pub(super) fn frame_has(&self, index: u32, group: Tag) -> bool {
        let first = (index, group, Tag(0, 0));
        let next = self.frames.range(first..).next();
        next.is_some_and(|((frame, within, _), _)| (*frame, *within) == (index, group))
    }

    /// The bytes of an element in the functional group of the frame at `index`.
    pub(super) fn frame_bytes(&self, index: u32, group: Tag, tag: Tag) -> Option<&'a [u8]> {
        self.frames.get(&(index, group, tag)).copied().filter(|bytes| !bytes.is_empty())
    }

    /// The bytes of an element as they stand in the file.
    pub(super) fn bytes(&self, within: Option<Tag>, tag: Tag) -> Option<&'a [u8]> {
        self.elements.get(&(within, tag)).copied().filter(|bytes| !bytes.is_empty())
    }

    /// The 16-bit numbers of an element.
    pub(super) fn words(&self, within: Option<Tag>, tag: Tag) -> Option<Vec<u16>> {
        let bytes = self.bytes(within, tag)?;
        Some(bytes.chunks_exact(2).map(|word| self.word([word[0], word[1]])).collect())
    }

    fn word(&self, bytes: [u8; 2]) -> u16 {
        match self.form {
            Form::ExplicitBig => u16::from_be_bytes(bytes),
            Form::ImplicitLittle | Form::ExplicitLittle => u16::from_le_bytes(bytes),
        }
    }

    /// A single 16-bit number that has to be there.
    pub(super) fn number(&self, tag: Tag) -> Result<u16, ImageFault> {
        let bytes = self.bytes(None, tag).ok_or(ImageFault::DescriptionMissing)?;
        let bytes = bytes.first_chunk().ok_or(ImageFault::Corrupt)?;
        Ok(self.word(*bytes))
    }

    /// The first value of an element of text, without padding.
    pub(super) fn text(&self, tag: Tag) -> Option<&'a str> {
        first_text(self.bytes(None, tag)?)
    }

    /// The whole of an element of text, as it stands.
    pub(super) fn whole_text(&self, tag: Tag) -> Option<&'a str> {
        std::str::from_utf8(self.bytes(None, tag)?).ok()
    }

    /// All numbers of an element of decimal text; `None` where there is none, or one that is no finite number.
    pub(super) fn decimals(&self, tag: Tag) -> Option<Vec<f64>> {
        let number = |text: &str| {
            let number: Option<f64> = text.trim_matches([' ', '\0']).parse().ok();
            number.filter(|number| number.is_finite())
        };
        self.whole_text(tag)?.split('\\').map(number).collect()
    }
}

/// The first value of text, without padding.
pub(super) fn first_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let first = text.split('\\').next()?.trim_matches([' ', '\0']);
    Some(first).filter(|text| !text.is_empty())
}

/// The number that a text says, of a value mapping.
pub(super) fn finite(text: &str) -> Result<f64, ImageFault> {
    text.parse().ok().filter(|v: &f64| v.is_finite()).ok_or(ImageFault::ValueMapping)
}

/// Files exist whose data set is implicit although their transfer syntax is not: the first element
/// then has no value representation where one belongs.
pub(super) fn actual(bytes: &[u8], form: Form) -> Form {
    match bytes.get(4..6) {
        Some(vr) if form == Form::ExplicitLittle && !vr.iter().all(u8::is_ascii_uppercase) => {
            Form::ImplicitLittle
        }
        _ => form,
    }
}

/// Sequences of an enhanced image that say how values are mapped.
const MAPPINGS: [Tag; 2] = [tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags::FRAME_VOILUT_SEQUENCE];

/// What of them is read: frames say much else, which is not kept.
const MAPPED_BY: [Tag; 5] = [
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::VOILUT_FUNCTION,
];

/// A sequence that has begun and not ended.
struct Open {
    tag: Tag,
    items: u32,
}

struct Walk<'a> {
    bytes: &'a [u8],
    open: Vec<Open>,
    data_set: DataSet<'a>,
    /// Behind the pixel data; nothing after it is looked at.
    is_complete: bool,
}

impl<'a> Walk<'a> {
    const fn new(bytes: &'a [u8], form: Form) -> Self {
        let data_set = DataSet {
            form,
            elements: BTreeMap::new(),
            pixels: None,
            frames: BTreeMap::new(),
            by_frame: BTreeSet::new(),
            frame_items: 0,
        };
        Self { bytes, open: Vec::new(), data_set, is_complete: false }
    }

    fn take<D: StatefulDecode>(&mut self, token: LazyDataToken<D>) -> Result<(), ImageFault> {
        match token {
            LazyDataToken::SequenceStart { tag, .. } => {
                // Also of one that holds nothing that is read: then this frame's mapping is not known.
                if let [Open { tag: tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, .. }] =
                    self.open.as_slice()
                    && MAPPINGS.contains(&tag)
                {
                    self.data_set.by_frame.insert(tag);
                }
                self.open.push(Open { tag, items: 0 });
            }
            LazyDataToken::PixelSequenceStart => {
                let tag = tags::PIXEL_DATA;
                if self.open.is_empty() {
                    let fragments = Vec::new();
                    self.data_set.pixels = Some(PixelData::Fragments { offsets: &[], fragments });
                }
                self.open.push(Open { tag, items: 0 });
            }
            LazyDataToken::SequenceEnd => {
                let ended = self.open.pop();
                let is_pixels = ended.is_some_and(|open| open.tag == tags::PIXEL_DATA);
                self.is_complete |= is_pixels && self.open.is_empty();
            }
            LazyDataToken::ItemStart { .. } => {
                if let Some(open) = self.open.last_mut() {
                    open.items = open.items.saturating_add(1);
                }
                if let [Open { tag: tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, items }] =
                    self.open.as_slice()
                {
                    self.data_set.frame_items = *items;
                }
            }
            LazyDataToken::LazyValue { header, mut decoder } => {
                let value = self.value(decoder.position(), header.len.0, header.tag)?;
                self.keep(header.tag, header.vr, value);
                decoder.skip_bytes(header.len.0).map_err(|_| ImageFault::Corrupt)?;
            }
            LazyDataToken::LazyItemValue { len, mut decoder } => {
                let start = decoder.position();
                let value = self.value(start, len, tags::PIXEL_DATA)?;
                self.keep_fragment(start, value);
                decoder.skip_bytes(len).map_err(|_| ImageFault::Corrupt)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The bytes of a value, if the file has them.
    fn value(&self, start: u64, length: u32, tag: Tag) -> Result<&'a [u8], ImageFault> {
        let start = usize::try_from(start).map_err(|_| ImageFault::Corrupt)?;
        let rest = self.bytes.get(start..).ok_or(ImageFault::Corrupt)?;
        rest.get(..length as usize).ok_or(match tag {
            tags::PIXEL_DATA => ImageFault::PixelCount,
            _ => ImageFault::Corrupt,
        })
    }

    fn keep(&mut self, tag: Tag, vr: VR, value: &'a [u8]) {
        let place = match self.open.as_slice() {
            [] if tag == tags::PIXEL_DATA => {
                // What an implicit file calls words may be bytes; it has no order to tell by.
                let is_words = vr == VR::OW;
                self.data_set.pixels = Some(PixelData::Native { bytes: value, is_words });
                self.is_complete = true;
                return;
            }
            [] => (None, tag),
            [Open { tag: within, items: 1 }] => (Some(*within), tag),
            // What all frames of an enhanced image share is as good as the root's own.
            [Open { tag: tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, items: 1 }, inner]
                if MAPPINGS.contains(&inner.tag) && inner.items == 1 =>
            {
                (None, tag)
            }
            [Open { tag: tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, items }, inner]
                if MAPPINGS.contains(&inner.tag)
                    && inner.items == 1
                    && MAPPED_BY.contains(&tag) =>
            {
                let frame = items.saturating_sub(1);
                self.data_set.frames.insert((frame, inner.tag, tag), value);
                return;
            }
            _ => return,
        };
        self.data_set.elements.insert(place, value);
    }

    fn keep_fragment(&mut self, start: u64, value: &'a [u8]) {
        let [Open { items, .. }] = self.open.as_slice() else { return };
        let Some(PixelData::Fragments { offsets, fragments }) = &mut self.data_set.pixels else {
            return;
        };
        if *items == 1 {
            *offsets = value;
        } else {
            fragments.push(Fragment { offset: start, bytes: value });
        }
    }
}
