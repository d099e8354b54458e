//! Which voxels a picture shows, and where: by the patient's directions, not by how the file is stored.
//!
//! Columns go to the patient's left where they can, else to the back; rows go to the back where they can, else to the
//! feet; slices go to the head. That is how DICOM shows the same plane, whatever program wrote the file.

use nifti::NiftiHeader;

use crate::decode::fault::ImageFault;
use crate::decode::image_frame::FramePlace;
use crate::decode::mask::Lattice;

/// An axis of the picture, or the one across it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    /// Which of the file's axes it is.
    stored: usize,
    pub(super) length: usize,
    /// Whether the file counts the other way round.
    is_reversed: bool,
}

/// One slice of a volume.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    /// Along columns, along rows, across.
    axes: [Axis; 3],
    /// Where the slice stands on the file's axis.
    place: usize,
}

/// Where the patient's right, front and head are, as the file's three axes have them: for each of these directions
/// the axis that it is nearest to, and whether the axis goes there.
pub(in crate::decode) type Directions = [(usize, bool); 3];

impl Slice {
    pub(super) const fn new(axes: [Axis; 3], shown: usize) -> Self {
        let place = if axes[2].is_reversed { axes[2].length - 1 - shown } else { shown };
        Self { axes, place }
    }

    /// Lengths of the file's axes.
    pub(super) fn stored(self) -> [usize; 3] {
        let mut lengths = [1; 3];
        for axis in self.axes {
            lengths[axis.stored] = axis.length;
        }
        lengths
    }

    pub(super) const fn pixels(self) -> usize {
        self.axes[0].length * self.axes[1].length
    }

    /// Whether any voxel of the plane `k` of the file is shown.
    pub(super) const fn touches(self, k: usize) -> bool {
        self.axes[2].stored != 2 || self.place == k
    }

    /// Where a voxel is shown; `None` of one in another slice.
    pub(super) fn pixel(self, voxel: [usize; 3]) -> Option<usize> {
        let [along_columns, along_rows, across] = self.axes;
        let at = |axis: Axis| {
            let place = voxel[axis.stored];
            if axis.is_reversed { axis.length - 1 - place } else { place }
        };
        (voxel[across.stored] == self.place)
            .then(|| at(along_rows) * along_columns.length + at(along_columns))
    }
}

impl Slice {
    /// Where its pixels lie, of a file whose voxels lie on `lattice`.
    pub(super) fn place(self, lattice: &Lattice) -> FramePlace {
        let [along_columns, along_rows, across] = self.axes;
        let mut origin = lattice.origin;
        let mut go = |axis: Axis, voxels: usize| {
            for (part, step) in origin.iter_mut().zip(lattice.steps[axis.stored]) {
                *part += step * count(voxels);
            }
        };
        go(across, self.place);
        for axis in [along_columns, along_rows].into_iter().filter(|axis| axis.is_reversed) {
            go(axis, axis.length - 1);
        }
        let step = |axis: Axis| {
            let way = if axis.is_reversed { -1.0 } else { 1.0 };
            lattice.steps[axis.stored].map(|part| way * part)
        };
        FramePlace {
            origin,
            row_step: step(along_rows),
            column_step: step(along_columns),
            frame_of_reference: None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "voxels along one side")]
const fn count(voxels: usize) -> f64 {
    voxels as f64
}

/// The axes of a slice: along columns, along rows, across.
pub(super) fn axes(header: &NiftiHeader) -> Result<[Axis; 3], ImageFault> {
    let lengths = lengths(header)?;
    let directions = directions(header)?;
    let axis = |direction: usize, is_forward: bool| {
        let (stored, goes_there) = directions[direction];
        Axis { stored, length: lengths[stored], is_reversed: goes_there != is_forward }
    };
    let (right, front, head) = (0, 1, 2);
    let is_flat = |direction: usize| axis(direction, true).length == 1;
    // Slices lie one on the other from feet to head, unless there is a single one in another plane.
    Ok(if !is_flat(head) && is_flat(front) {
        [axis(right, false), axis(head, false), axis(front, false)]
    } else if !is_flat(head) && is_flat(right) {
        [axis(front, false), axis(head, false), axis(right, false)]
    } else {
        [axis(right, false), axis(front, false), axis(head, true)]
    })
}

/// Of the three axes of space; there is nothing along others.
pub(super) fn lengths(header: &NiftiHeader) -> Result<[usize; 3], ImageFault> {
    let dim = header.dim().map_err(|_| ImageFault::Corrupt)?;
    if dim.iter().skip(3).any(|length| *length > 1) {
        return Err(ImageFault::MultiFrame);
    }
    let length = |axis: usize| dim.get(axis).map_or(1, |length| usize::from(*length));
    Ok([length(0), length(1), length(2)])
}

fn directions(header: &NiftiHeader) -> Result<Directions, ImageFault> {
    directions_of(steps(header)?)
}

/// Rows to the patient's right, front and head, each by the file's axes, by the method that the header prefers: the
/// affine transformation, else the quaternion.
pub(super) fn steps(header: &NiftiHeader) -> Result<[[f64; 3]; 3], ImageFault> {
    if header.sform_code > 0 {
        Ok([header.srow_x, header.srow_y, header.srow_z]
            .map(|row| [f64::from(row[0]), f64::from(row[1]), f64::from(row[2])]))
    } else if header.qform_code > 0 {
        Ok(rotation(header))
    } else {
        Err(ImageFault::Orientation)
    }
}

/// Millimetres of the header's unit of length; a header that names none means them. `None` of what is no unit.
pub(super) const fn millimetres(header: &NiftiHeader) -> Option<f64> {
    match header.xyzt_units & 0b111 {
        0 | 2 => Some(1.0),
        1 => Some(1000.0),
        3 => Some(0.001),
        _ => None,
    }
}

pub(in crate::decode) fn directions_of(space: [[f64; 3]; 3]) -> Result<Directions, ImageFault> {
    let nearest = space.map(nearest);
    match nearest {
        [Some(x), Some(y), Some(z)] if x.0 != y.0 && y.0 != z.0 && z.0 != x.0 => Ok([x, y, z]),
        _ => Err(ImageFault::Orientation),
    }
}

/// The file's axis that one direction of the patient changes along the most; `None` where two do alike.
fn nearest(row: [f64; 3]) -> Option<(usize, bool)> {
    let size = row.map(f64::abs);
    let axis = (0..3).find(|axis| (0..3).all(|other| other == *axis || size[*axis] > size[other]));
    axis.map(|axis| (axis, row[axis] > 0.0))
}

/// Rows to the patient's right, front and head, each by the file's axes, of the header's quaternion.
#[expect(clippy::many_single_char_names, reason = "the symbols of the source")]
fn rotation(header: &NiftiHeader) -> [[f64; 3]; 3] {
    let [b, c, d] = [header.quatern_b, header.quatern_c, header.quatern_d].map(f64::from);
    let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
    let [_, x, y, z, ..] = header.pixdim.map(|spacing| f64::from(spacing.abs()));
    // The file's third axis is turned round by it.
    let z = if header.pixdim[0] < 0.0 { -z } else { z };
    [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - c * c - b * b],
    ]
    .map(|[i, j, k]| [i * x, j * y, k * z])
}
