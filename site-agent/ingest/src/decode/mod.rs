//! Image bytes to the tensor that the protocol describes, two masks to what is measured of them, and a report to the
//! findings in it.
//!
//! [`Decoder`] does it in a box: the bytes are a stranger's, and so are the libraries' mistakes.
//! [`decode_image`] is what runs inside.

mod attributes;
mod decoder;
mod dicom;
mod exchange;
mod fault;
mod image;
mod image_frame;
mod mask;
mod nifti;
mod picture;
mod probe_file;
mod probe_volume;
mod report;
mod series;
mod tiff;

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;

use fedval_preprocess::from_raster;
use fedval_study::protocol::ModelInput;

pub use decoder::{DecodeFailure, DecodeLimits, Decoder, LARGEST_SERIES, SeriesDecoding};
pub(crate) use dicom::reads_syntax;
pub use dicom::{StoredFrame, stored_frame};
pub use exchange::ReceivedImage;
pub use fault::ImageFault;
pub use fedval_preprocess::MAX_SIDE;
pub use image_frame::{FrameOfReference, FramePlace, ImageFrame, SliceRun};
pub use mask::{
    MAX_MASK_VOXELS, MaskComparison, MaskMeasures, MaskRequest, OutputRequest, compare_masks,
    compare_output,
};
pub use picture::picture;
pub use probe_file::probe_files;
pub use report::{MAX_REPORT_REFERENCES, ReportRequest, read_report};
pub use series::decode_series;

/// Argument by which the agent's executable becomes a decoder in a box.
pub const DECODE_ROLE: &str = "__decode-box";

/// Longest attribute value, in characters.
pub const MAX_ATTRIBUTE_LENGTH: usize = 64;

/// An image to decode.
#[derive(Clone, Copy)]
pub struct DecodeRequest<'a> {
    /// What the model wants to see.
    pub input: &'a ModelInput,
    /// Keywords of DICOM attributes to read along; only those of the protocol's allow-list are.
    pub dicom_attributes: &'a [String],
    /// The file.
    pub bytes: &'a [u8],
}

impl fmt::Debug for DecodeRequest<'_> {
    /// Shows no byte of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecodeRequest(..)")
    }
}

/// An image as the model sees it.
#[derive(Clone, PartialEq)]
pub struct DecodedImage {
    /// Values in the protocol's axis order, without the batch axis.
    pub tensor: Vec<f32>,
    /// DICOM attributes by keyword, each at most 64 printable ASCII characters; absent ones and
    /// those of another form are left out.
    pub attributes: BTreeMap<String, String>,
    /// The pixels that it was made of.
    pub frame: ImageFrame,
}

impl fmt::Debug for DecodedImage {
    /// Shows no pixel and no attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecodedImage(..)")
    }
}

/// Decodes in this process. Only for bytes that are trusted, and inside a box: a hostile DICOM
/// file of a few hundred bytes can make the parser ask for gigabytes.
///
/// The format is told by the first bytes, never by a name. Of a model of volumes the file is one: NIfTI, or a DICOM image of
/// several frames that say where they lie.
///
/// # Errors
///
/// [`ImageFault`], which says nothing about the file's content.
pub fn decode_image(request: &DecodeRequest<'_>) -> Result<DecodedImage, ImageFault> {
    let input = request.input;
    if input.volume.is_some() {
        return decode_volume(request);
    }
    let none = BTreeMap::new;
    let (raster, attributes, place) = match request.bytes {
        [0x89, b'P', b'N', b'G', ..] => (image::read_png(request.bytes, input)?, none(), None),
        [0xff, 0xd8, 0xff, ..] => (image::read_jpeg(request.bytes, input)?, none(), None),
        bytes if bytes.get(128..132) == Some(b"DICM") => {
            dicom::read(bytes, input, request.dicom_attributes)?
        }
        // Behind DICOM, whose preamble may be that of a TIFF.
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => {
            (tiff::read(request.bytes, input)?, none(), None)
        }
        bytes if nifti::is_nifti(bytes) => {
            let (raster, place) = nifti::read(bytes, input)?;
            (raster, none(), place)
        }
        _ => return Err(ImageFault::FormatUnknown),
    };
    let frame = ImageFrame::at(raster.size(), place);
    Ok(DecodedImage { tensor: from_raster(raster, input)?, attributes, frame })
}

/// A file that holds a whole volume.
fn decode_volume(request: &DecodeRequest<'_>) -> Result<DecodedImage, ImageFault> {
    let DecodeRequest { input, dicom_attributes, bytes } = *request;
    match bytes {
        bytes if bytes.get(128..132) == Some(b"DICM") => {
            dicom::read_volume(bytes, input, dicom_attributes)
        }
        bytes if nifti::is_nifti(bytes) => nifti::read_volume(bytes, input),
        [0x89, b'P', b'N', b'G', ..]
        | [0xff, 0xd8, 0xff, ..]
        | [b'I', b'I', 42, 0, ..]
        | [b'M', b'M', 0, 42, ..] => Err(ImageFault::NotVolume),
        _ => Err(ImageFault::FormatUnknown),
    }
}

/// What the agent's executable does in [`DECODE_ROLE`].
pub fn decode_box_main() -> ExitCode {
    let mut session = exchange::Session::default();
    fedval_sandbox::serve(move |request| session.answer(request))
}
