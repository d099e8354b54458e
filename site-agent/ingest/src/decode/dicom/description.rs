//! What a DICOM file says of its pixels (PS3.3, C.7.6.3).

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;

use crate::decode::fault::ImageFault;
use crate::decode::raster::Size;

/// The form of the stored pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) size: Size,
    /// 8 or 16.
    bits_allocated: u16,
    /// 8 to `bits_allocated`.
    bits_stored: u16,
    /// At least `bits_stored − 1`, below `bits_allocated`.
    high_bit: u16,
    pub(super) is_signed: bool,
    /// White is low.
    pub(super) is_monochrome1: bool,
}

impl Description {
    /// Reads and checks everything before anything is allocated by it.
    pub(super) fn read(object: &DefaultDicomObject) -> Result<Self, ImageFault> {
        let photometric =
            text(object, tags::PHOTOMETRIC_INTERPRETATION).ok_or(ImageFault::DescriptionMissing)?;
        let is_monochrome1 = match photometric.as_str() {
            "MONOCHROME1" => true,
            "MONOCHROME2" => false,
            _ => return Err(ImageFault::Colour),
        };
        if number(object, tags::SAMPLES_PER_PIXEL)? != 1 {
            return Err(ImageFault::Colour);
        }
        if text(object, tags::NUMBER_OF_FRAMES).is_some_and(|frames| frames != "1") {
            return Err(ImageFault::MultiFrame);
        }
        let rows = number(object, tags::ROWS)?;
        let columns = number(object, tags::COLUMNS)?;
        let description = Self {
            size: Size::new(rows.into(), columns.into())?,
            bits_allocated: number(object, tags::BITS_ALLOCATED)?,
            bits_stored: number(object, tags::BITS_STORED)?,
            high_bit: number(object, tags::HIGH_BIT)?,
            is_signed: number(object, tags::PIXEL_REPRESENTATION)? != 0,
            is_monochrome1,
        };
        if description.has_readable_bits() { Ok(description) } else { Err(ImageFault::BitDepth) }
    }

    fn has_readable_bits(&self) -> bool {
        matches!(self.bits_allocated, 8 | 16)
            && (8..=self.bits_allocated).contains(&self.bits_stored)
            && (self.bits_stored - 1..self.bits_allocated).contains(&self.high_bit)
    }

    pub(super) const fn sample_bytes(&self) -> usize {
        self.bits_allocated as usize / 8
    }

    /// Smallest and largest storable value.
    pub(super) const fn range(&self) -> (i32, i32) {
        let values = 1 << self.bits_stored;
        if self.is_signed { (-values / 2, values / 2 - 1) } else { (0, values - 1) }
    }

    /// Kinds of stored value.
    pub(super) const fn values(&self) -> usize {
        1 << self.bits_stored
    }

    /// The bits of each stored value, without those that are not part of it (overlays, padding).
    pub(super) fn stored_bits(&self, pixels: &[u8]) -> Vec<u16> {
        let unused_low = self.high_bit + 1 - self.bits_stored;
        let mask = u16::MAX >> (u16::BITS - u32::from(self.bits_stored));
        let bits = |raw: u16| (raw >> unused_low) & mask;
        if self.sample_bytes() == 1 {
            return pixels.iter().map(|byte| bits((*byte).into())).collect();
        }
        // Values were brought to this machine's byte order when the file was parsed.
        let word = |sample: &[u8]| u16::from_ne_bytes([sample[0], sample[1]]);
        pixels.chunks_exact(2).map(|sample| bits(word(sample))).collect()
    }

    /// The number that the bits of a stored value mean.
    pub(super) fn value(&self, bits: u16) -> i32 {
        let (_, largest) = self.range();
        let value = i32::from(bits);
        if value > largest { value - (1 << self.bits_stored) } else { value }
    }
}

fn number(object: &DefaultDicomObject, tag: Tag) -> Result<u16, ImageFault> {
    let element = object.get(tag).ok_or(ImageFault::DescriptionMissing)?;
    element.to_int().map_err(|_| ImageFault::Corrupt)
}

fn text(object: &DefaultDicomObject, tag: Tag) -> Option<String> {
    let text = object.get(tag)?.to_str().ok()?;
    Some(text.trim_matches([' ', '\0']).to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_outside_the_stored_ones_are_masked_and_signs_extended() {
        let size = Size { height: 1, width: 2 };
        let unsigned = Description {
            size,
            bits_allocated: 16,
            bits_stored: 12,
            high_bit: 11,
            is_signed: false,
            is_monochrome1: false,
        };
        let words = [0xf123_u16, 0x0fff];
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_ne_bytes()).collect();
        let values = |d: &Description| {
            d.stored_bits(&bytes).into_iter().map(|bits| d.value(bits)).collect::<Vec<_>>()
        };
        assert_eq!(values(&unsigned), [0x123, 0xfff]);
        assert_eq!(values(&Description { is_signed: true, ..unsigned }), [0x123, -1]);
        assert_eq!(values(&Description { high_bit: 15, ..unsigned }), [0xf12, 0x0ff]);
    }
}
