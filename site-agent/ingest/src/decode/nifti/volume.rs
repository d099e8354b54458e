//! The whole volume of a file.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use fedval_preprocess::volume::{MOST_SLICES, VolumeBuilder, VolumeGrid, stored_input};
use fedval_study::protocol::ModelInput;
use flate2::bufread::GzDecoder;
use nifti::NiftiHeader;

use super::mask::origin;
use super::slice::{lengths, millimetres, steps};
use super::voxel::{Number, Voxel};
use super::{read_header, skip_to_voxels};
use crate::decode::DecodedImage;
use crate::decode::fault::ImageFault;
use crate::decode::image::MAX_DECODED_BYTES;
use crate::decode::image_frame::ImageFrame;

/// The tensor of the volume, and where its voxels lie. Of the file, one plane as it is stored is held at a time.
pub(in crate::decode) fn read_volume(
    bytes: &[u8],
    input: &ModelInput,
) -> Result<DecodedImage, ImageFault> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        read_from(BufReader::new(GzDecoder::new(bytes)), input)
    } else {
        read_from(bytes, input)
    }
}

fn read_from(mut file: impl Read, input: &ModelInput) -> Result<DecodedImage, ImageFault> {
    let header = read_header(&mut file)?;
    let voxel = Voxel::of(&header)?;
    let scale = millimetres(&header).ok_or(ImageFault::Spacing)?;
    let grid = grid(&header, scale)?;
    let frame = ImageFrame::of_volume(&grid, origin(&header).map(|part| part * scale), None);
    let [columns, rows, slices] = grid.lengths;
    let mut builder = VolumeBuilder::new(&grid, input)?;
    let plane_bytes = columns.saturating_mul(rows).saturating_mul(voxel.bytes());
    if plane_bytes > MAX_DECODED_BYTES || slices > MOST_SLICES {
        return Err(ImageFault::Size);
    }
    skip_to_voxels(&mut file, &header)?;
    let stored = stored_input(input);
    let number = Number::of(&header, voxel, &stored)?;
    let mut plane = vec![0; plane_bytes];
    for _ in 0..slices {
        file.read_exact(&mut plane).map_err(|_| ImageFault::PixelCount)?;
        let voxels = plane.chunks_exact(voxel.bytes());
        let values: Vec<f32> = voxels.map(|bytes| number.of_voxel(bytes)).collect();
        builder.take(&values)?;
    }
    Ok(DecodedImage { tensor: builder.finish()?, attributes: BTreeMap::new(), frame })
}

fn grid(header: &NiftiHeader, scale: f64) -> Result<VolumeGrid, ImageFault> {
    let rows = steps(header)?;
    let steps = [0, 1, 2].map(|axis: usize| rows.map(|row| row[axis] * scale));
    Ok(VolumeGrid { lengths: lengths(header)?, steps })
}
