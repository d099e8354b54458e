//! What a DICOM file says of its pixels (PS3.3, C.7.6.3).

use dicom_dictionary_std::tags;
use fedval_preprocess::Size;

use super::data_set::DataSet;
use crate::decode::fault::ImageFault;

/// What the samples of a pixel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Photometric {
    /// Grey; white is low.
    Monochrome1,
    /// Grey; white is high.
    Monochrome2,
    /// Places in a palette.
    Palette,
    Rgb,
    /// Luminance and two differences, one of each a pixel.
    YbrFull,
    /// The same; two neighbours in a row share their differences.
    YbrFull422,
    /// What a JPEG 2000 decoder turns back into RGB by itself.
    YbrOfJpeg2000,
}

impl Photometric {
    fn read(data_set: &DataSet<'_>) -> Result<Self, ImageFault> {
        let name = data_set.text(tags::PHOTOMETRIC_INTERPRETATION);
        match name.ok_or(ImageFault::DescriptionMissing)? {
            "MONOCHROME1" => Ok(Self::Monochrome1),
            "MONOCHROME2" => Ok(Self::Monochrome2),
            "PALETTE COLOR" => Ok(Self::Palette),
            "RGB" => Ok(Self::Rgb),
            "YBR_FULL" => Ok(Self::YbrFull),
            "YBR_FULL_422" => Ok(Self::YbrFull422),
            "YBR_RCT" | "YBR_ICT" => Ok(Self::YbrOfJpeg2000),
            _ => Err(ImageFault::Photometric),
        }
    }

    /// Samples of a pixel.
    pub(super) const fn samples(self) -> usize {
        match self {
            Self::Monochrome1 | Self::Monochrome2 | Self::Palette => 1,
            Self::Rgb | Self::YbrFull | Self::YbrFull422 | Self::YbrOfJpeg2000 => 3,
        }
    }
}

/// Bits that a sample takes in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allocated {
    One,
    Eight,
    Sixteen,
    ThirtyTwo,
}

impl Allocated {
    pub(super) const fn bits(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Eight => 8,
            Self::Sixteen => 16,
            Self::ThirtyTwo => 32,
        }
    }
}

/// The bits of a sample, and which of them count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SampleForm {
    allocated: Allocated,
    /// 1 to the bits allocated.
    stored: u32,
    /// Bits below the stored ones.
    unused_low: u32,
    is_signed: bool,
}

impl SampleForm {
    fn read(data_set: &DataSet<'_>) -> Result<Self, ImageFault> {
        let allocated = match data_set.number(tags::BITS_ALLOCATED)? {
            1 => Allocated::One,
            8 => Allocated::Eight,
            16 => Allocated::Sixteen,
            32 => Allocated::ThirtyTwo,
            _ => return Err(ImageFault::BitDepth),
        };
        let stored = u32::from(data_set.number(tags::BITS_STORED)?);
        let high_bit = u32::from(data_set.number(tags::HIGH_BIT)?);
        let is_signed = data_set.number(tags::PIXEL_REPRESENTATION)? != 0;
        Self::new(allocated, stored, high_bit, is_signed).ok_or(ImageFault::BitDepth)
    }

    /// `None` for a combination that no sample can have.
    pub(super) fn new(
        allocated: Allocated,
        stored: u32,
        high_bit: u32,
        is_signed: bool,
    ) -> Option<Self> {
        let fits = (1..=allocated.bits()).contains(&stored)
            && (stored - 1..allocated.bits()).contains(&high_bit);
        fits.then(|| Self { allocated, stored, unused_low: high_bit + 1 - stored, is_signed })
    }

    pub(super) const fn allocated(&self) -> Allocated {
        self.allocated
    }

    pub(super) const fn stored(&self) -> u32 {
        self.stored
    }

    pub(super) const fn is_signed(&self) -> bool {
        self.is_signed
    }

    /// Kinds of stored value.
    pub(super) const fn values(&self) -> u64 {
        1 << self.stored
    }

    /// Smallest and largest storable value.
    pub(super) const fn range(&self) -> (i64, i64) {
        let values = 1 << self.stored;
        if self.is_signed { (-values / 2, values / 2 - 1) } else { (0, values - 1) }
    }

    /// The bits of a stored value, without those that are not part of it (overlays, padding).
    pub(super) const fn bits(&self, raw: u32) -> u32 {
        (raw >> self.unused_low) & (u32::MAX >> (u32::BITS - self.stored))
    }

    /// The number that the bits of a stored value mean.
    pub(super) fn value(&self, bits: u32) -> i64 {
        let (_, largest) = self.range();
        let value = i64::from(bits);
        if value > largest { value - (1 << self.stored) } else { value }
    }
}

/// The form of the stored pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) size: Size,
    pub(super) photometric: Photometric,
    pub(super) sample: SampleForm,
    /// Where there are three samples: every first one, then every second, then every third.
    pub(super) is_planar: bool,
    /// At least 1.
    pub(super) frames: u32,
}

impl Description {
    /// Reads and checks everything before anything is allocated by it.
    pub(super) fn read(data_set: &DataSet<'_>) -> Result<Self, ImageFault> {
        let photometric = Photometric::read(data_set)?;
        let samples = usize::from(data_set.number(tags::SAMPLES_PER_PIXEL)?);
        if samples != photometric.samples() {
            return Err(ImageFault::Photometric);
        }
        let rows = data_set.number(tags::ROWS)?;
        let columns = data_set.number(tags::COLUMNS)?;
        let sample = SampleForm::read(data_set)?;
        if samples == 3 && (sample.is_signed() || sample.allocated() == Allocated::One) {
            return Err(ImageFault::BitDepth);
        }
        Ok(Self {
            size: Size::new(rows.into(), columns.into())?,
            photometric,
            sample,
            is_planar: is_planar(data_set, photometric),
            frames: frames(data_set)?,
        })
    }

    /// Samples of a frame once two neighbours no longer share any.
    pub(super) const fn frame_samples(&self) -> usize {
        self.size.pixels() * self.photometric.samples()
    }
}

/// Samples that neighbours share lie between theirs, never in a plane.
fn is_planar(data_set: &DataSet<'_>, photometric: Photometric) -> bool {
    photometric.samples() == 3
        && photometric != Photometric::YbrFull422
        && data_set.number(tags::PLANAR_CONFIGURATION) == Ok(1)
}

/// A file without a number of frames has one; none is no image.
fn frames(data_set: &DataSet<'_>) -> Result<u32, ImageFault> {
    let Some(text) = data_set.text(tags::NUMBER_OF_FRAMES) else { return Ok(1) };
    text.parse().ok().filter(|frames| *frames > 0).ok_or(ImageFault::Corrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_outside_the_stored_ones_are_masked_and_signs_extended() {
        let form = |high_bit, is_signed| {
            SampleForm::new(Allocated::Sixteen, 12, high_bit, is_signed).unwrap()
        };
        let values = |form: SampleForm| [0xf123, 0x0fff].map(|raw| form.value(form.bits(raw)));
        assert_eq!(values(form(11, false)), [0x123, 0xfff]);
        assert_eq!(values(form(11, true)), [0x123, -1]);
        assert_eq!(values(form(15, false)), [0xf12, 0x0ff]);
        let widest = SampleForm::new(Allocated::ThirtyTwo, 32, 31, true).unwrap();
        assert_eq!(widest.value(widest.bits(u32::MAX)), -1);
        assert_eq!(widest.range(), (i64::from(i32::MIN), i64::from(i32::MAX)));
        assert_eq!(SampleForm::new(Allocated::Eight, 9, 8, false), None);
        assert_eq!(SampleForm::new(Allocated::Sixteen, 12, 10, false), None);
    }
}
