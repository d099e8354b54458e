//! The pixels of a frame as a file stores them, in colours that need no further key.

use super::codec::{self, Colours, Decoded};
use super::colour;
use super::data_set::{DataSet, PixelData};
use super::description::{Description, Photometric};
use super::frame;
use super::native::{self, Order};
use super::part10::{Coding, Form, Part10};
use super::samples::Samples;
use crate::decode::fault::ImageFault;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pixels {
    /// A sample a pixel: grey, or a place in a palette.
    Single(Samples),
    /// Planes of red, green and blue.
    Colour([Samples; 3]),
}

/// Decodes the frame at `index`, counted from 0.
pub(super) fn pixels(
    data_set: &DataSet<'_>,
    description: &Description,
    coding: Coding,
    index: u32,
) -> Result<Pixels, ImageFault> {
    let decoded = match (data_set.pixels()?, coding) {
        (PixelData::Native { bytes, is_words }, Coding::Native) => Decoded {
            samples: native::frame(bytes, description, index, order(data_set.form(), *is_words))?,
            is_planar: description.is_planar,
            colours: Colours::AsDescribed,
        },
        (PixelData::Fragments { offsets, fragments }, coding) if coding != Coding::Native => {
            let bytes = frame::bytes(offsets, fragments, description.frames, index)?;
            codec::decode(coding, &bytes, description)?
        }
        _ => return Err(ImageFault::Corrupt),
    };
    described(decoded, description)
}

const fn order(form: Form, is_words: bool) -> Order {
    match (form, is_words) {
        (Form::ImplicitLittle | Form::ExplicitLittle, _) => Order::Little,
        (Form::ExplicitBig, false) => Order::Big,
        (Form::ExplicitBig, true) => Order::Exchanged,
    }
}

/// Puts samples in planes and makes their colours red, green and blue.
fn described(decoded: Decoded, description: &Description) -> Result<Pixels, ImageFault> {
    let samples = decoded.samples.masked(description.sample);
    if description.photometric.samples() == 1 {
        return Ok(Pixels::Single(samples));
    }
    let planes = samples.planes(decoded.is_planar);
    let is_ybr = match decoded.colours {
        Colours::Rgb => false,
        Colours::Ybr => true,
        Colours::AsDescribed => {
            matches!(description.photometric, Photometric::YbrFull | Photometric::YbrFull422)
        }
    };
    Ok(Pixels::Colour(if is_ybr { colour::rgb(planes, description.sample)? } else { planes }))
}

/// A frame as a file stores it, before any value mapping: what another reader can be held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFrame {
    /// Height, in pixels.
    pub rows: usize,
    /// Width, in pixels.
    pub columns: usize,
    /// 1 for grey and for places in a palette, 3 for red, green and blue.
    pub samples: usize,
    /// Frames in the file, at least 1.
    pub frames: u32,
    /// Rows from the top, samples of a pixel together.
    pub values: Vec<i64>,
}

/// Decodes a frame of a DICOM file, counted from 1, in this process. Like
/// [`decode_image`](crate::decode_image) only for bytes that are trusted, and inside a box.
///
/// # Errors
///
/// [`ImageFault`], which says nothing about the file's content.
pub fn stored_frame(bytes: &[u8], number: u32) -> Result<StoredFrame, ImageFault> {
    if bytes.get(128..132) != Some(b"DICM") {
        return Err(ImageFault::FormatUnknown);
    }
    let file = Part10::read(bytes)?;
    let data_set = DataSet::read(&file.data_set, file.form)?;
    let description = Description::read(&data_set)?;
    let index = number.checked_sub(1).filter(|index| *index < description.frames);
    let index = index.ok_or(ImageFault::FrameAbsent)?;
    let pixels = pixels(&data_set, &description, file.coding, index)?;
    let meant = |bits| description.sample.value(bits);
    let values = match pixels {
        Pixels::Single(samples) => samples.iter().map(meant).collect(),
        Pixels::Colour([r, g, b]) => {
            let pixels = r.iter().zip(g.iter()).zip(b.iter());
            pixels.flat_map(|((r, g), b)| [meant(r), meant(g), meant(b)]).collect()
        }
    };
    Ok(StoredFrame {
        rows: description.size.height,
        columns: description.size.width,
        samples: description.photometric.samples(),
        frames: description.frames,
        values,
    })
}
