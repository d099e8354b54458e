//! JPEG 2000 (ISO/IEC 15444-1), and its high-throughput block coder (part 15).

use dicom_toolkit_jpeg2000::{DecodeSettings, Image};
use hayro_jpeg2000::DecoderContext;

use super::{Colours, Decoded, check_precision};
use crate::decode::dicom::description::Description;
use crate::decode::dicom::samples::{Samples, narrow};
use crate::decode::fault::ImageFault;

/// Start of a codestream and its first segment, which says the size.
const START: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];
/// As many as the standard can number.
const MAX_TILES: u64 = 65_535;

pub(super) fn decode(frame: &[u8], description: &Description) -> Result<Decoded, ImageFault> {
    // Some writers wrap the codestream in a file of its own, against the standard.
    let start = frame.windows(START.len()).position(|bytes| bytes == START);
    let codestream = &frame[start.ok_or(ImageFault::Corrupt)?..];
    let siz = Siz::read(codestream).ok_or(ImageFault::Corrupt)?;
    siz.check(description)?;
    let samples = if siz.is_high_throughput {
        high_throughput(codestream, siz.components.len())?
    } else {
        ordinary(codestream, &siz)?
    };
    Ok(Decoded {
        samples: Samples::Narrow(siz.meant(samples)),
        is_planar: true,
        colours: if siz.components.len() == 3 && has_transform(codestream) {
            Colours::Rgb
        } else {
            Colours::AsDescribed
        },
    })
}

/// Planes of samples, counted from the smallest one up.
fn ordinary(codestream: &[u8], siz: &Siz) -> Result<Vec<u16>, ImageFault> {
    let settings = hayro_jpeg2000::DecodeSettings { strict: true, ..Default::default() };
    let image = hayro_jpeg2000::Image::new(codestream, &settings);
    let image = image.map_err(|_| ImageFault::Corrupt)?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|_| ImageFault::Corrupt)?;
    let components = decoded.components();
    if components.len() != siz.components.len() {
        return Err(ImageFault::Codestream);
    }
    let largest = siz.components.first().map_or(0, |c| u16::MAX >> (u16::BITS - c.bits));
    let sample = |value: &f32| nearest(*value, largest);
    Ok(components.iter().flat_map(|component| component.samples().iter().map(sample)).collect())
}

/// Lossy codes end between two samples, or beyond the last.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of 16 bits"
)]
fn nearest(value: f32, largest: u16) -> u16 {
    value.round_ties_even().clamp(0.0, largest.into()) as u16
}

/// The same for the block coder of part 15.
fn high_throughput(codestream: &[u8], components: usize) -> Result<Vec<u16>, ImageFault> {
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let image = Image::new(codestream, &settings).map_err(|_| ImageFault::Corrupt)?;
    let bitmap = image.decode_native().map_err(|_| ImageFault::Corrupt)?;
    if usize::from(bitmap.num_components) != components {
        return Err(ImageFault::Codestream);
    }
    let samples: Vec<u16> = if bitmap.bytes_per_sample == 1 {
        bitmap.data.into_iter().map(u16::from).collect()
    } else {
        bitmap.data.as_chunks().0.iter().map(|word| u16::from_le_bytes(*word)).collect()
    };
    let plane = |place| samples.iter().skip(place).step_by(components).copied();
    Ok((0..components).flat_map(plane).collect())
}

/// A component: its samples' bits and sign, and how many pixels share one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Component {
    bits: u32,
    is_signed: bool,
    shared: [u8; 2],
}

/// What a codestream says of its size (Annex A.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Siz {
    width: u32,
    height: u32,
    tiles: u64,
    /// Coded by part 15.
    is_high_throughput: bool,
    components: Vec<Component>,
}

impl Siz {
    fn read(codestream: &[u8]) -> Option<Self> {
        let fields = codestream.get(8..40)?.as_chunks().0;
        let fields: Vec<u32> = fields.iter().map(|field| u32::from_be_bytes(*field)).collect();
        let [right, bottom, left, top, tile_width, tile_height, tile_left, tile_top] = fields[..]
        else {
            return None;
        };
        let across = (right.checked_sub(tile_left)?).checked_add(tile_width)?.checked_sub(1)?;
        let down = (bottom.checked_sub(tile_top)?).checked_add(tile_height)?.checked_sub(1)?;
        let tiles =
            u64::from(across.checked_div(tile_width)?) * u64::from(down.checked_div(tile_height)?);
        let count = u16::from_be_bytes(*codestream.get(40..)?.first_chunk()?);
        let components = codestream.get(42..42 + 3 * usize::from(count))?.as_chunks::<3>().0;
        Some(Self {
            width: right.checked_sub(left)?,
            height: bottom.checked_sub(top)?,
            tiles,
            is_high_throughput: codestream.get(6)? & 0x40 != 0,
            components: components
                .iter()
                .map(|[form, x, y]| Component {
                    bits: u32::from(form & 0x7f) + 1,
                    is_signed: form & 0x80 != 0,
                    shared: [*x, *y],
                })
                .collect(),
        })
    }

    fn check(&self, description: &Description) -> Result<(), ImageFault> {
        let size = (self.height as usize, self.width as usize);
        let first = self.components.first().ok_or(ImageFault::Corrupt)?;
        let agrees = size == (description.size.height, description.size.width)
            && self.components.len() == description.photometric.samples()
            && first.is_signed == description.sample.is_signed();
        if !agrees {
            return Err(ImageFault::Codestream);
        }
        check_precision(first.bits, description)?;
        let is_uniform = self.components.iter().all(|c| c == first) && first.shared == [1, 1];
        if is_uniform && self.tiles <= MAX_TILES { Ok(()) } else { Err(ImageFault::BitDepth) }
    }

    /// The decoder counts signed samples from the smallest one up; the file wants their bits.
    fn meant(&self, samples: Vec<u16>) -> Vec<u16> {
        match self.components.first() {
            Some(Component { bits, is_signed: true, .. }) => {
                let half = 1 << (bits - 1);
                let bits = |sample: u16| narrow(u32::from(sample).wrapping_sub(half) & 0xffff);
                samples.into_iter().map(bits).collect()
            }
            _ => samples,
        }
    }
}

/// Whether the decoder turned three components into red, green and blue (Annex A.6.1).
fn has_transform(codestream: &[u8]) -> bool {
    let mut rest = &codestream[2..];
    while let [0xff, marker, l1, l0, after @ ..] = rest {
        match (marker, after) {
            (0x52, [_, _, _, _, transform, ..]) => return *transform != 0,
            (0x90 | 0x93, _) => return false,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*l1, *l0]));
        let Some(next) = rest.get(2 + length..) else { return false };
        rest = next;
    }
    false
}
