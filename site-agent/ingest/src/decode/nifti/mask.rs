//! A mask: the whole volume, turned so that its axes go to the patient's head, back and left.

use std::io::{BufReader, Read};

use fedval_study::protocol::Structure;
use flate2::bufread::GzDecoder;
use nifti::NiftiHeader;

use super::slice::{lengths, millimetres, steps};
use super::voxel::{Voxel, rescale};
use super::{read_header, skip_to_voxels};
use crate::decode::fault::ImageFault;
use crate::decode::mask::{Lattice, Mask, Turned, Voxels};

/// How far from a whole number a label may be: slopes are stored in 32 bits.
const WHOLE: f64 = 1e-4;

pub(in crate::decode) fn read_mask(
    bytes: &[u8],
    structure: &Structure,
) -> Result<Mask, ImageFault> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        read_from(BufReader::new(GzDecoder::new(bytes)), structure)
    } else {
        read_from(bytes, structure)
    }
}

fn read_from(mut file: impl Read, structure: &Structure) -> Result<Mask, ImageFault> {
    let header = read_header(&mut file)?;
    let voxel = Voxel::of(&header)?;
    let lengths = lengths(&header)?;
    let turned = lattice(&header, lengths)?.turned()?;
    let mut voxels = Voxels::none(turned.grid.shape)?;
    skip_to_voxels(&mut file, &header)?;
    let labels = Labels { voxel, rescale: rescale(&header), structure };
    mark(&mut file, lengths[0], &labels, &turned, &mut voxels)?;
    Ok(Mask { grid: turned.grid, voxels, cut: None, frame_of_reference: None })
}

/// Where the file says that its voxels lie.
pub(super) fn lattice(header: &NiftiHeader, lengths: [usize; 3]) -> Result<Lattice, ImageFault> {
    let (rows, scale) = (steps(header)?, millimetres(header).ok_or(ImageFault::MaskSpacing)?);
    let steps = [0, 1, 2].map(|axis| rows.map(|row| row[axis] * scale));
    Ok(Lattice { lengths, steps, origin: origin(header).map(|part| part * scale) })
}

/// The middle of the file's first voxel, by the method that the header prefers.
pub(super) fn origin(header: &NiftiHeader) -> [f64; 3] {
    let origin = if header.sform_code > 0 {
        [header.srow_x[3], header.srow_y[3], header.srow_z[3]]
    } else {
        [header.quatern_x, header.quatern_y, header.quatern_z]
    };
    origin.map(f64::from)
}

/// What a voxel's bytes say.
struct Labels<'s> {
    voxel: Voxel,
    rescale: (f64, f64),
    structure: &'s Structure,
}

impl Labels<'_> {
    fn is_in(&self, bytes: &[u8]) -> Result<bool, ImageFault> {
        let (slope, intercept) = self.rescale;
        let label = whole(self.voxel.stored(bytes) * slope + intercept);
        label.and_then(|label| self.structure.holds(label)).ok_or(ImageFault::MaskValue)
    }
}

/// The label that a number is; `None` of one between two labels, or beyond all.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held to the range of labels"
)]
fn whole(value: f64) -> Option<u16> {
    let label = value.round();
    let is_label = (value - label).abs() <= WHOLE && (0.0..=f64::from(u16::MAX)).contains(&label);
    is_label.then_some(label as u16)
}

/// Reads voxels as they are stored, and marks those of the structure where they lie. One row is held at a time.
fn mark(
    file: &mut impl Read,
    columns: usize,
    labels: &Labels<'_>,
    turned: &Turned,
    voxels: &mut Voxels,
) -> Result<(), ImageFault> {
    let mut row = vec![0; columns * labels.voxel.bytes()];
    // Most of most masks is background, which is stored as zeros.
    let zeros_are_background = !labels.is_in(&[0; 8])?;
    let [along_columns, along_rows, along_planes] = &turned.offsets;
    for plane_offset in along_planes {
        for row_offset in along_rows {
            file.read_exact(&mut row).map_err(|_| ImageFault::PixelCount)?;
            if zeros_are_background && row.iter().all(|byte| *byte == 0) {
                continue;
            }
            let stored = row.chunks_exact(labels.voxel.bytes());
            for (bytes, column_offset) in stored.zip(along_columns) {
                if labels.is_in(bytes)? {
                    voxels.add(plane_offset + row_offset + column_offset);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_are_labels() {
        assert_eq!(whole(3.000_01), Some(3));
        assert_eq!(whole(65_535.0), Some(65_535));
        for odd in [0.5, -1.0, 65_536.0, f64::NAN, f64::INFINITY] {
            assert_eq!(whole(odd), None, "{odd}");
        }
    }
}
