//! TIFF: grey or colour, 8 or 16 bits, one image of the file.
//!
//! # References
//!
//! - Adobe (1992). TIFF, revision 6.0.

use std::io::Cursor;

use fedval_preprocess::{Raster, Size, accept};
use fedval_study::protocol::{FrameChoice, ModelInput, Monochrome1};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{PhotometricInterpretation, Tag};
use tiff::{ColorType, TiffError};

use super::fault::ImageFault;
use super::image::{MAX_DECODED_BYTES, Sample, Samples};

/// Value of the compression tag.
const UNCOMPRESSED: u16 = 1;
/// Images of a file that are counted: whole stacks, and no chain that never ends.
const MAX_IMAGES: usize = 10_000;

type Reader<'b> = Decoder<Cursor<&'b [u8]>>;

pub(super) fn read(bytes: &[u8], input: &ModelInput) -> Result<Raster, ImageFault> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_DECODED_BYTES;
    limits.intermediate_buffer_size = MAX_DECODED_BYTES;
    let mut reader = Decoder::new(Cursor::new(bytes)).map_err(fault)?.with_limits(limits);
    choose(&mut reader, input.frame)?;
    let (width, height) = reader.dimensions().map_err(fault)?;
    let size = Size::new(height as usize, width as usize)?;
    accept(size, input)?;
    // The reader turns such an image round.
    if is_white_zero(&mut reader)? && input.monochrome1 == Monochrome1::Refuse {
        return Err(ImageFault::Monochrome1);
    }
    let colour = reader.colortype().map_err(fault)?;
    let channels = channels(colour)?;
    check_planes(&mut reader)?;
    check_lengths(&mut reader, size, colour)?;
    let planes = match reader.read_image().map_err(fault)? {
        DecodingResult::U8(values) => planes(values, channels, size, input)?,
        DecodingResult::U16(values) => planes(values, channels, size, input)?,
        DecodingResult::I8(_) | DecodingResult::I16(_) => return Err(ImageFault::Signed),
        _ => return Err(ImageFault::BitDepth),
    };
    Ok(Raster::new(size, planes)?)
}

/// Goes to the image that the protocol wants.
fn choose(reader: &mut Reader<'_>, frame: FrameChoice) -> Result<(), ImageFault> {
    let place = match frame {
        FrameChoice::Only if reader.more_images() => return Err(ImageFault::MultiFrame),
        FrameChoice::Only => return Ok(()),
        FrameChoice::Middle => (count(reader)? - 1) / 2,
        FrameChoice::Number(number) => {
            (number as usize).checked_sub(1).ok_or(ImageFault::FrameAbsent)?
        }
    };
    if place >= MAX_IMAGES {
        return Err(ImageFault::FrameAbsent);
    }
    reader.seek_to_image(place).map_err(|_| ImageFault::FrameAbsent)
}

/// How many images the file has.
fn count(reader: &mut Reader<'_>) -> Result<usize, ImageFault> {
    let mut count = 1;
    while reader.more_images() {
        reader.next_image().map_err(fault)?;
        count += 1;
        if count > MAX_IMAGES {
            return Err(ImageFault::MultiFrame);
        }
    }
    Ok(count)
}

fn is_white_zero(reader: &mut Reader<'_>) -> Result<bool, ImageFault> {
    let white_is_zero = PhotometricInterpretation::WhiteIsZero.to_u16();
    let found = reader.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation).map_err(fault)?;
    Ok(found == Some(white_is_zero))
}

/// The reader reads the first plane alone where each colour has its own.
fn check_planes(reader: &mut Reader<'_>) -> Result<(), ImageFault> {
    let found = reader.find_tag_unsigned::<u16>(Tag::PlanarConfiguration).map_err(fault)?;
    match found {
        None | Some(1) => Ok(()),
        Some(_) => Err(ImageFault::TransferSyntax),
    }
}

/// An uncompressed image is as long as its pixels: the reader does not ask, and takes what stands behind it.
fn check_lengths(reader: &mut Reader<'_>, size: Size, colour: ColorType) -> Result<(), ImageFault> {
    let compression = reader.find_tag_unsigned::<u16>(Tag::Compression).map_err(fault)?;
    if compression.is_some_and(|method| method != UNCOMPRESSED) {
        return Ok(());
    }
    let mut lengths = Vec::new();
    for tag in [Tag::StripByteCounts, Tag::TileByteCounts] {
        lengths
            .extend(reader.find_tag_unsigned_vec::<u64>(tag).map_err(fault)?.unwrap_or_default());
    }
    let declared = lengths.iter().fold(0, |sum: u64, length| sum.saturating_add(*length));
    let of_pixel = u64::from(colour.num_samples()) * u64::from(colour.bit_depth() / 8);
    if declared < size.pixels() as u64 * of_pixel { Err(ImageFault::PixelCount) } else { Ok(()) }
}

/// Colours of a pixel, and whether there is an alpha channel behind them.
fn channels(colour: ColorType) -> Result<(usize, bool), ImageFault> {
    match colour {
        ColorType::Gray(8 | 16) => Ok((1, false)),
        ColorType::GrayA(8 | 16) => Ok((1, true)),
        ColorType::RGB(8 | 16) => Ok((3, false)),
        ColorType::RGBA(8 | 16) => Ok((3, true)),
        ColorType::Gray(_) | ColorType::RGB(_) => Err(ImageFault::BitDepth),
        _ => Err(ImageFault::Photometric),
    }
}

fn planes<S: Sample>(
    values: Vec<S>,
    (channels, has_alpha): (usize, bool),
    size: Size,
    input: &ModelInput,
) -> Result<Vec<Vec<f32>>, ImageFault> {
    let samples = Samples { values, channels };
    if has_alpha { samples.opaque()?.planes(size, input) } else { samples.planes(size, input) }
}

#[expect(clippy::needless_pass_by_value, reason = "what an error is mapped by takes it")]
fn fault(error: TiffError) -> ImageFault {
    match error {
        TiffError::UnsupportedError(_) => ImageFault::TransferSyntax,
        _ => ImageFault::Corrupt,
    }
}
