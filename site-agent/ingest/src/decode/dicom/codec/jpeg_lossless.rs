//! JPEG with prediction, process 14, of any selection value.

use jpeg_decoder::{ColorTransform, Decoder};

use super::{Colours, Decoded, checked_header};
use crate::decode::dicom::description::Description;
use crate::decode::dicom::samples::Samples;
use crate::decode::fault::ImageFault;

/// The marker of a lossless frame with Huffman codes; the decoder starts threads for others.
const LOSSLESS: u8 = 0xc3;

pub(super) fn decode(frame: &[u8], description: &Description) -> Result<Decoded, ImageFault> {
    let header = checked_header(frame, description)?;
    if header.process != LOSSLESS {
        return Err(ImageFault::Codestream);
    }
    let is_wide = header.precision > 8;
    if is_wide && header.components != 1 {
        return Err(ImageFault::BitDepth);
    }
    let mut decoder = Decoder::new(frame);
    decoder.set_color_transform(ColorTransform::None);
    decoder.set_max_decoding_buffer_size(description.frame_samples() * 2);
    let bytes = decoder.decode().map_err(|_| ImageFault::Corrupt)?;
    let samples = if is_wide {
        bytes.as_chunks().0.iter().map(|word| u16::from_ne_bytes(*word)).collect()
    } else {
        bytes.into_iter().map(u16::from).collect()
    };
    Ok(Decoded {
        samples: Samples::Narrow(samples),
        is_planar: false,
        colours: Colours::AsDescribed,
    })
}
