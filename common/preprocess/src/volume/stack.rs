//! Slices of a DICOM series to a volume, by where they lie and nothing else.
//!
//! Neither a file's name nor Instance Number says where a slice is: Image Position and Image Orientation (Patient) do
//! (DICOM PS3.3 C.7.6.2.1.1). What is not one volume by them is refused, each for a reason of its own: a slice that is
//! made up, or one that is dropped, is a patient that was never examined.

use fedval_study::protocol::GantryTilt;

use super::VolumeGrid;
use super::plan::count;
use crate::vector::{Vector, cross, dot, length, minus, scaled};

/// Most slices of a volume.
pub const MOST_SLICES: usize = 4096;

/// Largest difference of a direction's cosine, or of a pixel's millimetres, between slices of one volume: they are written
/// with five digits or more.
const SAME: f64 = 1e-4;
/// Directions are of length 1, and upright on each other, to this.
const UPRIGHT: f64 = 1e-3;
/// Slices nearer than this, in millimetres, lie at the same place.
const DUPLICATE: f64 = 1e-3;
/// How far a distance of two slices may be from the median, as its share: positions of thin slices are written with two
/// digits behind the point, and a slice that is left out is a distance of twice as much.
const GAP_SHARE: f64 = 0.05;
/// How far a slice may lie beside the line through the first one, as a share of the smaller side of a pixel.
const BESIDE_SHARE: f64 = 0.1;
/// Steepest tilt, as its tangent: of 45 degrees. No gantry goes so far.
const MOST_TILT: f64 = 1.0;

/// Where a slice lies. Millimetres to the patient's left, back and head, as DICOM has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliceGeometry {
    /// The middle of the first pixel (Image Position).
    pub position: Vector,
    /// Along a row, then down a column (Image Orientation).
    pub orientation: [Vector; 2],
    /// From row to row, then from column to column (Pixel Spacing).
    pub spacing: [f64; 2],
    /// Pixels of a column.
    pub rows: usize,
    /// Pixels of a row.
    pub columns: usize,
}

/// Slices in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Places of the slices as they were given, along the normal of their planes.
    pub order: Vec<usize>,
    /// Where their voxels lie, in this order; of shifted slices, once they are shifted back to the middle one.
    pub grid: VolumeGrid,
    /// How far each slice lies beside the one before along a row, then down a column, in pixels; 0 of an upright gantry.
    pub shift: [f64; 2],
    /// The middle of the first pixel of the first of them, in millimetres to the patient's right, front and head.
    pub origin: Vector,
}

/// Why slices are no volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StackFault {
    /// A single slice.
    #[error("there is one slice")]
    OneSlice,
    /// More than [`MOST_SLICES`].
    #[error("there are too many slices")]
    TooMany,
    /// Directions that are none, or pixels without a size.
    #[error("the slices do not say where they lie")]
    Geometry,
    /// Slices of different size or pixel spacing.
    #[error("the slices differ in size or pixel spacing")]
    Grid,
    /// Slices that are not parallel.
    #[error("the slices are not parallel")]
    Orientation,
    /// Two at the same place.
    #[error("two slices lie at the same place")]
    Duplicate,
    /// Distances that are not all the same.
    #[error("the slices do not lie at even distances")]
    Gap,
    /// Slices that do not lie one above the other.
    #[error("the slices do not lie one above the other")]
    Shifted,
}

/// Orders slices along the normal of their planes, the cross product of row and column. `tilt` says whether they may lie
/// beside each other, evenly and in their own plane.
///
/// # Errors
///
/// [`StackFault`] of slices that are no volume.
pub fn stacked(slices: &[SliceGeometry], tilt: GantryTilt) -> Result<Stack, StackFault> {
    let [first, _, ..] = slices else { return Err(StackFault::OneSlice) };
    if slices.len() > MOST_SLICES {
        return Err(StackFault::TooMany);
    }
    check_alike(slices, first)?;
    let [row, column] = first.orientation;
    // Cosines are written with few digits: their product has not quite length 1, and lengths are measured along it.
    let normal = cross(row, column);
    let normal = scaled(normal, 1.0 / length(normal));
    let along = |place: usize| dot(slices[place].position, normal);
    let mut order: Vec<usize> = (0..slices.len()).collect();
    order.sort_by(|one, other| along(*one).total_cmp(&along(*other)));
    check_distances(&order.iter().map(|place| along(*place)).collect::<Vec<_>>())?;
    let (Some(lowest), Some(highest)) = (order.first(), order.last()) else {
        return Err(StackFault::OneSlice);
    };
    let height = along(*highest) - along(*lowest);
    let beside = |place: &usize| {
        let way = minus(slices[*place].position, slices[*lowest].position);
        minus(way, scaled(normal, dot(way, normal)))
    };
    let beside: Vec<Vector> = order.iter().map(beside).collect();
    let shift = shift(&beside, first, height, tilt)?;
    let step = height / count(slices.len() - 1);
    let [between_rows, between_columns] = first.spacing;
    let steps = [scaled(row, between_columns), scaled(column, between_rows), scaled(normal, step)];
    // To the right and to the front, as volumes count.
    let turned = |[left, back, head]: Vector| [-left, -back, head];
    let lengths = [first.columns, first.rows, slices.len()];
    let origin = turned(slices[*lowest].position);
    let grid = VolumeGrid { lengths, steps: steps.map(turned) };
    Ok(Stack { order, grid, shift, origin })
}

fn check_alike(slices: &[SliceGeometry], first: &SliceGeometry) -> Result<(), StackFault> {
    let is_same = |one: &[f64], other: &[f64]| {
        one.iter().zip(other).all(|(one, other)| (one - other).abs() <= SAME)
    };
    for slice in slices {
        let [row, column] = slice.orientation;
        let are_directions = [row, column].iter().all(|way| (length(*way) - 1.0).abs() <= UPRIGHT);
        let is_upright = are_directions && dot(row, column).abs() <= UPRIGHT;
        let has_size = slice.spacing.iter().all(|mm| mm.is_finite() && *mm > 0.0);
        let is_somewhere = slice.position.iter().all(|mm| mm.is_finite());
        if !is_upright || !has_size || !is_somewhere {
            return Err(StackFault::Geometry);
        }
        let is_as_large = (slice.rows, slice.columns) == (first.rows, first.columns);
        if !is_as_large || !is_same(&slice.spacing, &first.spacing) {
            return Err(StackFault::Grid);
        }
        if !is_same(slice.orientation.as_flattened(), first.orientation.as_flattened()) {
            return Err(StackFault::Orientation);
        }
    }
    Ok(())
}

/// Looks at places along the normal, in their order.
fn check_distances(along: &[f64]) -> Result<(), StackFault> {
    let mut distances: Vec<f64> = along.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if distances.iter().any(|mm| *mm <= DUPLICATE) {
        return Err(StackFault::Duplicate);
    }
    distances.sort_by(f64::total_cmp);
    let median = distances[distances.len() / 2];
    let is_even = |mm: &f64| (mm - median).abs() <= GAP_SHARE * median;
    if distances.iter().all(is_even) { Ok(()) } else { Err(StackFault::Gap) }
}

/// How far each slice lies beside the one before, in pixels along a row and down a column, by how far each lies beside
/// the lowest, in their order. A gantry that was tilted shifts them evenly; what is shifted otherwise is no volume.
fn shift(
    beside: &[Vector],
    first: &SliceGeometry,
    height: f64,
    tilt: GantryTilt,
) -> Result<[f64; 2], StackFault> {
    let room = BESIDE_SHARE * first.spacing[0].min(first.spacing[1]);
    let Some(furthest) = beside.last().filter(|_| beside.iter().any(|way| length(*way) > room))
    else {
        return Ok([0.0; 2]);
    };
    let each = scaled(*furthest, 1.0 / count(beside.len() - 1));
    let is_on_line =
        |(place, way): (usize, &Vector)| length(minus(*way, scaled(each, count(place)))) <= room;
    let is_tilted =
        length(*furthest) <= MOST_TILT * height && beside.iter().enumerate().all(is_on_line);
    if tilt == GantryTilt::Refuse || !is_tilted {
        return Err(StackFault::Shifted);
    }
    let ([row, column], [between_rows, between_columns]) = (first.orientation, first.spacing);
    Ok([dot(each, row) / between_columns, dot(each, column) / between_rows])
}
