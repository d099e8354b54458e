//! Two masks of a case, or a model's output and a mask, to the few numbers that are counted of it.
//!
//! Both are read, and held against each other, in the box: what crosses to the parent is which of them holds anything,
//! and three numbers.

mod contours;
mod grid;
mod lattice;
mod measured;
mod output;
mod picture;
mod plane;
pub(super) mod reply;
mod volume;
mod voxels;

use std::fmt;

use fedval_stats::segmentation::Presence;
use fedval_study::protocol::Structure;

pub(super) use contours::{Contour, Contours};
pub(super) use grid::{Grid, Space};
pub(super) use lattice::{Lattice, Turned};
pub use output::{OutputRequest, compare_output};
pub(super) use voxels::Voxels;

use super::fault::ImageFault;
use super::image_frame::FrameOfReference;
use super::{dicom, nifti};

/// Most voxels of a mask: 512 in each direction. None is allocated for more.
pub const MAX_MASK_VOXELS: usize = 1 << 27;

/// Two masks to hold against each other.
#[derive(Clone, Copy)]
pub struct MaskRequest<'a> {
    /// What they outline, and how they are measured.
    pub structure: &'a Structure,
    /// The reference standard's file.
    pub reference: &'a [u8],
    /// The index test's.
    pub predicted: &'a [u8],
}

/// How two masks of a case compare.
#[derive(Clone, Copy, PartialEq)]
pub struct MaskComparison {
    /// Which of them holds anything.
    pub presence: Presence,
    /// What is measured where both do; otherwise nothing is.
    pub measures: Option<MaskMeasures>,
}

/// What is measured of two masks that both hold something.
#[derive(Clone, Copy, PartialEq)]
pub struct MaskMeasures {
    /// Dice's coefficient, 0 to 1.
    pub dice: f64,
    /// The 95th percentile of distances between their surfaces, the larger of both directions, in millimetres; not
    /// yet cut to the protocol's bound.
    pub hd95_mm: f64,
    /// The share of both surfaces within the protocol's tolerance, 0 to 1.
    pub nsd: f64,
}

impl fmt::Debug for MaskComparison {
    /// Shows no value of a case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskComparison(..)")
    }
}

impl fmt::Debug for MaskMeasures {
    /// Shows no value of a case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskMeasures(..)")
    }
}

/// A structure in a volume, or in a slice.
#[derive(Clone, PartialEq)]
pub(super) struct Mask {
    pub(super) grid: Grid,
    pub(super) voxels: Voxels,
    /// The axis along which the file holds only a part of the slices: DICOM SEG leaves out those without a segment.
    pub(super) cut: Option<usize>,
    /// In which the grid lies, where the file says it.
    pub(super) frame_of_reference: Option<FrameOfReference>,
}

/// Whether both are known to lie in one frame of reference. Two of them are refused: numbers that look alike are then of
/// two acquisitions.
fn share_frame(
    one: Option<FrameOfReference>,
    other: Option<FrameOfReference>,
) -> Result<bool, ImageFault> {
    match one.zip(other) {
        None => Ok(false),
        Some((one, other)) if one == other => Ok(true),
        Some(_) => Err(ImageFault::MaskGrid),
    }
}

/// What a file of a mask holds.
pub(super) enum Drawing {
    /// Voxels of a grid.
    Voxels(Mask),
    /// The contours of the regions that the protocol names, which lie on no grid.
    Contours(Contours),
}

/// Reads both masks and measures them, in this process: only for bytes that are trusted, and inside a box.
///
/// # Errors
///
/// [`ImageFault`], which says nothing about the files' content: of a mask that cannot be read, and of two that do not
/// lie on the same grid. Contours lie on the other mask's; of two files of contours, nothing says on which.
pub fn compare_masks(request: &MaskRequest<'_>) -> Result<MaskComparison, ImageFault> {
    let reference = read(request.reference, request.structure)?;
    let predicted = read(request.predicted, request.structure)?;
    let (reference, predicted) = match (reference, predicted) {
        (Drawing::Voxels(reference), Drawing::Voxels(predicted)) => (reference, predicted),
        (Drawing::Voxels(reference), Drawing::Contours(contours)) => {
            let predicted = contours::drawn(&contours, &reference)?;
            (reference, predicted)
        }
        (Drawing::Contours(contours), Drawing::Voxels(predicted)) => {
            (contours::drawn(&contours, &predicted)?, predicted)
        }
        (Drawing::Contours(_), Drawing::Contours(_)) => return Err(ImageFault::MaskNoGrid),
    };
    share_frame(reference.frame_of_reference, predicted.frame_of_reference)?;
    let is_cut = reference.cut.is_some() || predicted.cut.is_some();
    let offset = if is_cut {
        reference.grid.offset_to(&predicted.grid)
    } else {
        reference.grid.agrees(&predicted.grid).then_some([0; 3])
    };
    let offset = offset.ok_or(ImageFault::MaskGrid)?;
    measured::compared(&reference, &predicted, offset, request.structure)
}

/// The format is told by the first bytes, never by a name. What is stored with losses is no mask.
fn read(bytes: &[u8], structure: &Structure) -> Result<Drawing, ImageFault> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => picture::read(bytes, structure).map(Drawing::Voxels),
        bytes if bytes.get(128..132) == Some(b"DICM") => dicom::read_mask(bytes, structure),
        bytes if nifti::is_nifti(bytes) => nifti::read_mask(bytes, structure).map(Drawing::Voxels),
        _ => Err(ImageFault::FormatUnknown),
    }
}
