//! JPEG with a discrete cosine transform, 8 bits a sample: baseline and extended.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Colours, Decoded, JpegHeader, checked_header};
use crate::decode::MAX_SIDE;
use crate::decode::dicom::description::Description;
use crate::decode::dicom::samples::Samples;
use crate::decode::fault::ImageFault;

pub(super) fn decode(frame: &[u8], description: &Description) -> Result<Decoded, ImageFault> {
    let header = checked_header(frame, description)?;
    if header.precision != 8 {
        return Err(ImageFault::BitDepth);
    }
    // A scan that ends early is a fault, not grey.
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(frame), options);
    decoder.decode_headers().map_err(|_| ImageFault::Corrupt)?;
    // The samples as they are stored: what they mean is said by the file around them.
    let stored = match (header.components, header.adobe_transform) {
        (1, _) => ColorSpace::Luma,
        // The decoder believes this one late, when what comes out is already settled.
        (_, Some(0)) => ColorSpace::RGB,
        _ => decoder.input_colorspace().ok_or(ImageFault::Corrupt)?,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(stored));
    let samples = decoder.decode().map_err(|_| ImageFault::Corrupt)?;
    Ok(Decoded {
        samples: Samples::Narrow(samples.into_iter().map(u16::from).collect()),
        is_planar: false,
        colours: colours(&header),
    })
}

/// An Adobe segment says what was done to the colours; files that say otherwise around it are
/// known to be wrong.
const fn colours(header: &JpegHeader) -> Colours {
    match header.adobe_transform {
        Some(1) => Colours::Ybr,
        Some(0) => Colours::Rgb,
        _ => Colours::AsDescribed,
    }
}
