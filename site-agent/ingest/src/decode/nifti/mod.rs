//! NIfTI-1 in one file, compressed or not: a slice of it, as DICOM would show it, or the whole volume.
//!
//! # References
//!
//! - R. W. Cox et al. (2004). A (sort of) new image data format standard: NIfTI-1. `nifti1.h`.

mod mask;
mod slice;
mod volume;
mod voxel;

use std::io::{BufReader, Read};

use fedval_preprocess::{Raster, Size, accept};
use fedval_study::protocol::{FrameChoice, ModelInput};
use flate2::bufread::GzDecoder;
pub(super) use mask::read_mask;
use nifti::NiftiHeader;
pub(super) use slice::directions_of;
use slice::{Axis, Slice};
pub(super) use volume::read_volume;
use voxel::{Number, Voxel};

use super::MAX_SIDE;
use super::fault::ImageFault;
use super::image::MAX_DECODED_BYTES;
use super::image_frame::FramePlace;

/// Length of a header; it stands before everything else, in either order of bytes.
const HEADER: usize = 348;
/// Of a file that holds header and voxels, at the header's end.
const ONE_FILE: &[u8; 4] = b"n+1\0";
/// What may stand between header and voxels.
const MAX_OFFSET: u64 = 1 << 20;

/// Whether the file says it is one; what is compressed is looked at when it is read.
pub(super) fn is_nifti(bytes: &[u8]) -> bool {
    matches!(bytes, [0x1f, 0x8b, 8, ..]) || bytes.get(HEADER - 4..HEADER) == Some(ONE_FILE)
}

/// A slice, and where it lies in the patient.
type Placed = (Raster, Option<FramePlace>);

pub(super) fn read(bytes: &[u8], input: &ModelInput) -> Result<Placed, ImageFault> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        read_from(BufReader::new(GzDecoder::new(bytes)), input)
    } else {
        read_from(bytes, input)
    }
}

fn read_from(mut file: impl Read, input: &ModelInput) -> Result<Placed, ImageFault> {
    let header = read_header(&mut file)?;
    let voxel = Voxel::of(&header)?;
    let axes = slice::axes(&header)?;
    let slice = Slice::new(axes, chosen(axes[2], input.frame)?);
    let size = Size::new(axes[1].length, axes[0].length)?;
    accept(size, input)?;
    skip_to_voxels(&mut file, &header)?;
    let number = Number::of(&header, voxel, input)?;
    let raster = Raster::new(size, vec![values(&mut file, slice, voxel, &number)?])?;
    let lattice = mask::lattice(&header, slice.stored());
    Ok((raster, lattice.ok().map(|lattice| slice.place(&lattice))))
}

fn read_header(file: &mut impl Read) -> Result<NiftiHeader, ImageFault> {
    let mut start = [0; HEADER];
    file.read_exact(&mut start).map_err(|_| ImageFault::Corrupt)?;
    if start[HEADER - 4..] != *ONE_FILE {
        return Err(ImageFault::FormatUnknown);
    }
    NiftiHeader::from_reader(&start[..]).map_err(|_| ImageFault::Corrupt)
}

/// The place of the slice that the protocol wants, in the order in which slices are shown.
const fn chosen(across: Axis, frame: FrameChoice) -> Result<usize, ImageFault> {
    match frame {
        FrameChoice::Only if across.length > 1 => Err(ImageFault::MultiFrame),
        FrameChoice::Only => Ok(0),
        FrameChoice::Middle => Ok((across.length - 1) / 2),
        FrameChoice::Number(number) => match (number as usize).checked_sub(1) {
            Some(place) if place < across.length => Ok(place),
            _ => Err(ImageFault::FrameAbsent),
        },
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "held to a range in which every whole number has its own"
)]
fn skip_to_voxels(file: &mut impl Read, header: &NiftiHeader) -> Result<(), ImageFault> {
    let offset = header.vox_offset;
    if !(0.0..=MAX_OFFSET as f32).contains(&offset) || offset < HEADER as f32 {
        return Err(ImageFault::Corrupt);
    }
    let between = offset as u64 - HEADER as u64;
    let skipped = std::io::copy(&mut file.take(between), &mut std::io::sink());
    if skipped.is_ok_and(|skipped| skipped == between) { Ok(()) } else { Err(ImageFault::Corrupt) }
}

/// The slice's values. Of the volume, one plane as it is stored is held at a time.
fn values(
    file: &mut impl Read,
    slice: Slice,
    voxel: Voxel,
    number: &Number,
) -> Result<Vec<f32>, ImageFault> {
    let [columns, rows, planes] = slice.stored();
    let plane_bytes = columns * rows * voxel.bytes();
    if plane_bytes.saturating_mul(planes) > MAX_DECODED_BYTES || planes > MAX_SIDE {
        return Err(ImageFault::Size);
    }
    let mut plane = vec![0; plane_bytes];
    let mut values = vec![0.0; slice.pixels()];
    for k in 0..planes {
        file.read_exact(&mut plane).map_err(|_| ImageFault::PixelCount)?;
        if !slice.touches(k) {
            continue;
        }
        for (place, bytes) in plane.chunks_exact(voxel.bytes()).enumerate() {
            if let Some(pixel) = slice.pixel([place % columns, place / columns, k]) {
                values[pixel] = number.of_voxel(bytes);
            }
        }
    }
    Ok(values)
}
