//! Contours in millimetres of the patient, drawn on the grid of the other mask of their case, or of the image that a
//! model saw.
//!
//! Each lies in a slice of that grid. Between slices nothing is made up: a slice that was left out within a structure is
//! not filled, and not taken for one without the structure either.

mod on_image;
mod polygon;

use std::collections::BTreeMap;

use fedval_preprocess::vector::{Vector, cross, dot, minus};

pub(super) use self::on_image::drawn_on_image;
use self::polygon::{Corner, Run, common, parts, runs, size};
use super::grid::{Grid, Space, whole};
use super::{Mask, Voxels, share_frame};
use crate::decode::fault::ImageFault;
use crate::decode::image_frame::FrameOfReference;

/// How far a corner may lie from the middle of its slice, as a share of the step between slices: as far as a slice of
/// another format may.
const PLANE_SHARE: f64 = 0.1;

/// Most contours of a slice that are held against each other.
const MAX_PLAIN: usize = 4096;

/// A closed line in a plane.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::decode) struct Contour {
    /// Millimetres to the patient's right, front and head.
    pub(in crate::decode) corners: Vec<Vector>,
    /// Whether the file says that it takes away what it has in common with others of its plane.
    pub(in crate::decode) is_exclusive: bool,
}

/// The contours of every region that is read of a file.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::decode) struct Contours {
    /// Of each region; none of one that the file lists and does not draw.
    pub(in crate::decode) regions: Vec<Vec<Contour>>,
    /// In which they lie, where the file says it.
    pub(in crate::decode) frame_of_reference: Option<FrameOfReference>,
}

/// The voxels whose middles lie inside the contours of any of the regions.
///
/// # Errors
///
/// [`ImageFault::MaskGrid`] of contours that lie between slices, beyond the grid or in another frame of reference, and
/// of none at all where the grid's file names a frame of reference and theirs does not; [`ImageFault::MaskContour`] of
/// contours that lie in no plane of it, or overlap so that it is not clear what is meant; [`ImageFault::MaskGap`]
/// where a slice was left out; and [`ImageFault::Size`] of more contours in one slice than any structure has.
pub(super) fn drawn(contours: &Contours, on: &Mask) -> Result<Mask, ImageFault> {
    let is_shared = share_frame(contours.frame_of_reference, on.frame_of_reference)?;
    let in_voxels = Places::of(&on.grid)?;
    let placed: Vec<Vec<Placed>> = contours
        .regions
        .iter()
        .map(|region| region.iter().map(|contour| in_voxels.of_contour(contour)).collect())
        .collect();
    let Some(axis) = flat_axis(&placed)? else { return nothing_drawn(on, is_shared) };
    let (grid, shift) = extended(on, &placed);
    let mut voxels = Voxels::none(grid.shape)?;
    let slicing = Slicing { shape: grid.shape, axis, shift };
    for region in &placed {
        let mut before: Option<(usize, Vec<Run>)> = None;
        for (slice, contours) in slicing.slices(region)? {
            let runs = slicing.runs(&contours)?;
            slicing.add(slice, &runs, &mut voxels);
            let is_left_out =
                |(at, of): &(usize, Vec<Run>)| slice > at + 1 && common(of, &runs) > 0;
            if before.as_ref().is_some_and(is_left_out) {
                return Err(ImageFault::MaskGap);
            }
            before = Some((slice, runs));
        }
    }
    Ok(Mask { grid, voxels, cut: on.cut, frame_of_reference: on.frame_of_reference })
}

/// Of regions without a contour. Contours are held against the grid; of none, nothing but the frame of reference says
/// whose they are. NIfTI has no room for one: beside it, a structure's absence has the word of the case's line alone.
fn nothing_drawn(on: &Mask, is_shared: bool) -> Result<Mask, ImageFault> {
    if !is_shared && on.frame_of_reference.is_some() {
        return Err(ImageFault::MaskGrid);
    }
    let voxels = Voxels::none(on.grid.shape)?;
    let (grid, cut, frame_of_reference) = (on.grid, on.cut, on.frame_of_reference);
    Ok(Mask { grid, voxels, cut, frame_of_reference })
}

/// From millimetres to voxels.
struct Places {
    origin: Vector,
    /// What a millimetre counts along each axis.
    rows: [Vector; 3],
}

/// A contour in voxels.
struct Placed {
    corners: Vec<Vector>,
    is_exclusive: bool,
}

impl Places {
    /// Contours have millimetres; a picture has none of the patient.
    fn of(grid: &Grid) -> Result<Self, ImageFault> {
        let Space::Patient { origin, steps } = grid.space else { return Err(ImageFault::MaskGrid) };
        let volume = dot(steps[0], cross(steps[1], steps[2]));
        if !volume.is_normal() {
            return Err(ImageFault::MaskSpacing);
        }
        let rows = [(1, 2), (2, 0), (0, 1)]
            .map(|(one, other)| cross(steps[one], steps[other]).map(|part| part / volume));
        Ok(Self { origin, rows })
    }

    fn of_contour(&self, contour: &Contour) -> Placed {
        let place = |at: &Vector| {
            let way = minus(*at, self.origin);
            self.rows.map(|row| dot(row, way))
        };
        let corners = contour.corners.iter().map(place).collect();
        Placed { corners, is_exclusive: contour.is_exclusive }
    }
}

impl Placed {
    /// The least and the largest place along an axis.
    fn range(&self, axis: usize) -> [f64; 2] {
        self.corners.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], corner| {
            [least.min(corner[axis]), most.max(corner[axis])]
        })
    }
}

/// The axis that no contour extends along; `None` where there is no contour. Refused where they lie across the grid.
fn flat_axis(regions: &[Vec<Placed>]) -> Result<Option<usize>, ImageFault> {
    let mut extents = [0.0_f64; 3];
    for contour in regions.iter().flatten() {
        for (axis, extent) in extents.iter_mut().enumerate() {
            let [least, most] = contour.range(axis);
            *extent = extent.max(most - least);
        }
    }
    if regions.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    let flattest = (0..3).min_by(|one, other| extents[*one].total_cmp(&extents[*other]));
    let is_flat = |axis: &usize| extents[*axis] <= 2.0 * PLANE_SHARE;
    flattest.filter(is_flat).map(Some).ok_or(ImageFault::MaskContour)
}

/// The grid with the slices that its file leaves out, as far as contours need them; and by how many voxels it begins
/// earlier along each axis.
fn extended(on: &Mask, regions: &[Vec<Placed>]) -> (Grid, Vector) {
    let (mut grid, mut shift) = (on.grid, [0.0; 3]);
    let (Some(axis), Space::Patient { origin, steps }) = (on.cut, on.grid.space) else {
        return (grid, shift);
    };
    let mut range = [0, i64::try_from(grid.shape[axis]).unwrap_or(i64::MAX) - 1];
    for contour in regions.iter().flatten() {
        let [least, most] = contour.range(axis);
        range[0] = range[0].min(whole((least + PLANE_SHARE).floor()));
        range[1] = range[1].max(whole((most - PLANE_SHARE).ceil()));
    }
    // Sizes are looked at before anything is allocated.
    grid.shape[axis] = usize::try_from(range[1] - range[0] + 1).unwrap_or(usize::MAX);
    shift[axis] = slices_before(range[0]);
    let origin = [0, 1, 2].map(|part| origin[part] - shift[axis] * steps[axis][part]);
    grid.space = Space::Patient { origin, steps };
    (grid, shift)
}

#[expect(clippy::cast_precision_loss, reason = "held to less than a billion")]
const fn slices_before(first: i64) -> f64 {
    -first as f64
}

/// A grid as slices across one of its axes.
struct Slicing {
    shape: [usize; 3],
    axis: usize,
    shift: Vector,
}

/// A contour in its slice.
struct Outline {
    corners: Vec<Corner>,
    is_exclusive: bool,
}

impl Slicing {
    /// The axes of a slice: rows, then columns.
    const fn plane(&self) -> [usize; 2] {
        match self.axis {
            0 => [1, 2],
            1 => [0, 2],
            _ => [0, 1],
        }
    }

    /// A region's contours by their slices.
    fn slices(&self, region: &[Placed]) -> Result<BTreeMap<usize, Vec<Outline>>, ImageFault> {
        let mut slices: BTreeMap<usize, Vec<Outline>> = BTreeMap::new();
        for contour in region {
            let slice = self.slice(contour)?;
            let corners = contour.corners.iter().map(|corner| self.corner(*corner));
            let corners = corners.collect::<Option<_>>().ok_or(ImageFault::MaskGrid)?;
            let outline = Outline { corners, is_exclusive: contour.is_exclusive };
            slices.entry(slice).or_default().push(outline);
        }
        Ok(slices)
    }

    /// The nearest slice; refused where a corner is further from it than a share of the step, or there is none.
    fn slice(&self, contour: &Placed) -> Result<usize, ImageFault> {
        let [least, most] = contour.range(self.axis).map(|at| at + self.shift[self.axis]);
        let nearest = least.midpoint(most).round();
        let is_in_it = nearest - least <= PLANE_SHARE && most - nearest <= PLANE_SHARE;
        let slice = usize::try_from(whole(nearest)).ok();
        slice.filter(|slice| is_in_it && *slice < self.shape[self.axis]).ok_or(ImageFault::MaskGrid)
    }

    /// A corner in parts of a voxel; `None` of one so far beyond the grid that a voxel beyond it could be inside.
    fn corner(&self, at: Vector) -> Option<Corner> {
        let [row, column] = self.plane().map(|axis| {
            let (at, end) = (at[axis] + self.shift[axis], count(self.shape[axis]));
            // What is no number is not between them.
            (-1.0..=end).contains(&at).then(|| parts(at))
        });
        Some([row?, column?])
    }

    /// The voxels inside the contours of one slice. Refused where there are more contours or edges than any structure
    /// has: each is held against each other one.
    fn runs(&self, contours: &[Outline]) -> Result<Vec<Run>, ImageFault> {
        let sides = self.plane().map(|axis| self.shape[axis]);
        let of = |contours: &[Outline]| {
            let corners = contours.iter().map(|contour| contour.corners.as_slice());
            runs(corners, sides).ok_or(ImageFault::Size)
        };
        // First of all together: it bounds what is held of each.
        let all = of(contours)?;
        let plain = || contours.iter().filter(|contour| !contour.is_exclusive);
        if plain().count() > MAX_PLAIN {
            return Err(ImageFault::Size);
        }
        let mut before: Vec<Vec<Run>> = Vec::new();
        for contour in plain().filter(|_| contours.len() > 1) {
            let own = of(std::slice::from_ref(contour))?;
            if before.iter().any(|other| is_unclear(&own, other)) {
                return Err(ImageFault::MaskContour);
            }
            before.push(own);
        }
        Ok(all)
    }

    /// Adds the voxels of one slice.
    fn add(&self, slice: usize, runs: &[Run], voxels: &mut Voxels) {
        let [_, height, width] = self.shape;
        let strides = [height * width, width, 1];
        let [rows, columns] = self.plane();
        for run in runs {
            let begin = slice * strides[self.axis] + run.row * strides[rows];
            for column in run.columns.clone() {
                voxels.add(begin + column * strides[columns]);
            }
        }
    }
}

/// Whether two contours overlap and neither is a hole in the other, or both are the same: one may have been meant to be
/// joined, or cut out.
fn is_unclear(one: &[Run], other: &[Run]) -> bool {
    let (common, one, other) = (common(one, other), size(one), size(other));
    common > 0 && (common < one.min(other) || one == other)
}

#[expect(clippy::cast_precision_loss, reason = "voxels along one side")]
const fn count(voxels: usize) -> f64 {
    voxels as f64
}
