//! Compressed frames to samples.
//!
//! What a frame says of itself is held against the file around it before anything is allocated.

mod deflated;
mod jpeg;
mod jpeg2000;
mod jpeg_header;
mod jpeg_lossless;
mod jpeg_ls;
mod run_length;

use super::description::{Allocated, Description};
use super::native::{self, Order};
use super::part10::Coding;
use super::samples::Samples;
use crate::decode::fault::ImageFault;
use jpeg_header::JpegHeader;

/// The samples of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) samples: Samples,
    /// One plane after the other, where there are three.
    pub(super) is_planar: bool,
    pub(super) colours: Colours,
}

/// What three samples mean, where the code has a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    /// What the file says.
    AsDescribed,
    /// Red, green and blue, whatever the file says: the code has a transform of its own.
    Rgb,
    /// Luminance and differences, whatever the file says.
    Ybr,
}

/// Decodes one frame.
pub(super) fn decode(
    coding: Coding,
    frame: &[u8],
    description: &Description,
) -> Result<Decoded, ImageFault> {
    let decoded = match coding {
        Coding::Native | Coding::Plain => plain(frame, description)?,
        Coding::Deflated => deflated::decode(frame, description)?,
        Coding::RunLength => run_lengths(frame, description)?,
        Coding::Jpeg => jpeg::decode(frame, description)?,
        Coding::JpegLossless => jpeg_lossless::decode(frame, description)?,
        Coding::JpegLs => jpeg_ls::decode(frame, description)?,
        Coding::Jpeg2000 => jpeg2000::decode(frame, description)?,
    };
    if decoded.samples.len() == description.frame_samples() {
        Ok(decoded)
    } else {
        Err(ImageFault::PixelCount)
    }
}

fn plain(frame: &[u8], description: &Description) -> Result<Decoded, ImageFault> {
    let one = Description { frames: 1, ..*description };
    Ok(Decoded {
        samples: native::frame(frame, &one, 0, Order::Little)?,
        is_planar: description.is_planar,
        colours: Colours::AsDescribed,
    })
}

fn run_lengths(frame: &[u8], description: &Description) -> Result<Decoded, ImageFault> {
    let allocated = description.sample.allocated();
    if allocated == Allocated::One {
        return Err(ImageFault::BitDepth);
    }
    let planes = description.photometric.samples();
    let sample_bytes = allocated.bits() as usize / 8;
    let bytes = run_length::decode(frame, planes, description.size.pixels(), sample_bytes)?;
    Ok(Decoded {
        samples: native::words(&bytes, allocated, Order::Little)?,
        is_planar: true,
        colours: Colours::AsDescribed,
    })
}

/// Holds a stream of the JPEG family against the file around it.
fn checked_header(frame: &[u8], description: &Description) -> Result<JpegHeader, ImageFault> {
    let header = JpegHeader::read(frame)?;
    let size = (usize::from(header.height), usize::from(header.width));
    let agrees = size == (description.size.height, description.size.width)
        && usize::from(header.components) == description.photometric.samples();
    if !agrees {
        return Err(ImageFault::Codestream);
    }
    check_precision(header.precision.into(), description)?;
    Ok(header)
}

/// Fewer bits than are stored leave the upper ones empty; more would be cut.
fn check_precision(bits: u32, description: &Description) -> Result<(), ImageFault> {
    if (1..=description.sample.stored()).contains(&bits) && bits <= u16::BITS {
        Ok(())
    } else {
        Err(ImageFault::Codestream)
    }
}
