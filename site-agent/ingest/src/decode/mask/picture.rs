//! PNG: one slice, whose pixels are as large as the protocol says.

use std::io::Cursor;

use fedval_preprocess::Size;
use fedval_study::protocol::Structure;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::{Grid, Mask, Space, Voxels};
use crate::decode::fault::ImageFault;
use crate::decode::image::{MAX_DECODED_BYTES, Sample, Samples};

pub(super) fn read(bytes: &[u8], structure: &Structure) -> Result<Mask, ImageFault> {
    let spacing = structure.pixel_spacing_mm().ok_or(ImageFault::MaskSpacing)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES as u64);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|_| ImageFault::Corrupt)?;
    let (width, height) = decoder.dimensions();
    let size = Size::new(height as usize, width as usize)?;
    let voxels = Voxels::none([1, size.height, size.width])?;
    if decoder.total_bytes() > MAX_DECODED_BYTES as u64 {
        return Err(ImageFault::Size);
    }
    let image = DynamicImage::from_decoder(decoder).map_err(|_| ImageFault::Corrupt)?;
    let grid = Grid { shape: [1, size.height, size.width], space: Space::Picture { spacing } };
    let voxels = marked(image, size, voxels, structure)?;
    Ok(Mask { grid, voxels, cut: None, frame_of_reference: None })
}

fn marked(
    image: DynamicImage,
    size: Size,
    voxels: Voxels,
    structure: &Structure,
) -> Result<Voxels, ImageFault> {
    match image {
        DynamicImage::ImageLuma8(grey) => {
            mark(Samples::grey(grey.into_raw()), size, voxels, structure)
        }
        DynamicImage::ImageLuma16(grey) => {
            mark(Samples::grey(grey.into_raw()), size, voxels, structure)
        }
        DynamicImage::ImageLumaA8(grey) => {
            mark(Samples::grey(grey.into_raw()).opaque()?, size, voxels, structure)
        }
        DynamicImage::ImageRgb8(rgb) => {
            mark(Samples::colour(rgb.into_raw()), size, voxels, structure)
        }
        DynamicImage::ImageRgba8(rgb) => {
            mark(Samples::colour(rgb.into_raw()).opaque()?, size, voxels, structure)
        }
        _ => Err(ImageFault::BitDepth),
    }
}

/// Grey as it is stored. A colour is no label: palettes differ from program to program.
fn mark<S: Sample>(
    samples: Samples<S>,
    size: Size,
    mut voxels: Voxels,
    structure: &Structure,
) -> Result<Voxels, ImageFault> {
    let planes = samples.separate(size, 1)?;
    for (place, value) in planes.iter().flatten().enumerate() {
        if structure.holds((*value).into()).ok_or(ImageFault::MaskValue)? {
            voxels.add(place);
        }
    }
    Ok(voxels)
}
