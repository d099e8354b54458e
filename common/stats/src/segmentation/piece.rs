//! Surfaces as marching cubes lays them: the pieces between the centres of voxels, by their area.
//!
//! Around each corner of the voxel grid stand eight voxels (four in an image of two axes), the corners of a
//! cell. The surface within a cell follows from which of them are in the mask. It need not be looked up:
//! where at most half are in, the ones that touch along an edge of the cell form groups, and each group has
//! a surface of its own; where more are in, the surface is that of the others. Of unit spacing, and with
//! w the area of a cell's faces (so that w_z = s_y s_x),
//!
//! | a group of | surface | area |
//! | --- | --- | --- |
//! | one | a triangle | ⅛ ‖w‖ |
//! | two, along a | a rectangle | ½ √(w_b² + w_c²) |
//! | three | a triangle across their face, normal n, and a trapezium | ½ w_n + ⅜ ‖w‖ |
//! | four on a face, normal n | a rectangle | w_n |
//! | four about one of them | a hexagon | ¾ ‖w‖ |
//! | four in a row, the middle step along m | four triangles | ½ ‖w‖ + ¼ (√(w_m² + w_b²) + √(w_m² + w_c²)) |
//!
//! The last is not flat: of the ways to cut it, this is the one of DeepMind's tables.
//!
//! # References
//!
//! - W. E. Lorensen, H. E. Cline (1987). Marching cubes. SIGGRAPH Comput. Graph. 21, 163–169.
//! - S. Nikolov et al. (2021). J. Med. Internet Res. 23, e26151 (surface-distance).

use super::nearest::squared_distances_at;
use super::rows::Rows;
use super::surface::{Percentile, SurfaceDistances};
use super::{Masks, Volume};
use crate::NotEstimable;

/// Ways that the corners of a cell can be in or out.
const CODES: usize = 256;

/// Distances between the surfaces of two masks, each piece counting by its area (its length, in an image of
/// two axes): between the corners of voxels, in millimetres.
///
/// A percentile is the first distance at which the share of area reaches it, in each direction, and the
/// larger counts.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] where a mask is empty.
///
/// # Examples
///
/// ```
/// use fedval_stats::segmentation::{Masks, surfel};
/// use ndarray::arr2;
///
/// let reference = arr2(&[[true, false, false, false]]).into_dyn();
/// let predicted = arr2(&[[false, false, false, true]]).into_dyn();
/// let distances = surfel(&Masks::new(&reference, &predicted, &[1.0, 0.5])?)?;
/// assert!((distances.hausdorff() - 1.5).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn surfel(masks: &Masks) -> Result<SurfaceDistances, NotEstimable> {
    masks.hold_surfaces()?;
    let areas: Vec<f64> =
        (0..CODES).map(|code| area(code, masks.spacing, masks.first_axis)).collect();
    let (reference, shape) = codes(&masks.reference, masks.first_axis);
    let (predicted, _) = codes(&masks.predicted, masks.first_axis);
    let of = |from: &[u8], to: &[u8]| {
        let rows = Rows::new(to, shape, masks.spacing, |code| is_surface(*code));
        let places = surface_places(from);
        let squared = squared_distances_at(&places, &rows);
        let areas = places.iter().map(|place| areas[usize::from(from[*place])]);
        squared.into_iter().map(libm::sqrt).zip(areas).collect()
    };
    SurfaceDistances::new(
        of(&reference, &predicted),
        of(&predicted, &reference),
        Percentile::ByArea,
    )
}

const fn is_surface(code: u8) -> bool {
    code != 0 && code != u8::MAX
}

/// Places of the codes of a surface. Most stretches lie within the mask or outside: they are passed over
/// whole.
fn surface_places(codes: &[u8]) -> Vec<usize> {
    const STRETCH: usize = 16;
    let mut places = Vec::new();
    for (stretch, codes) in codes.chunks(STRETCH).enumerate() {
        if codes != [0; STRETCH] && codes != [u8::MAX; STRETCH] {
            let here = codes.iter().enumerate().filter(|(_, code)| is_surface(**code));
            places.extend(here.map(|(place, _)| stretch * STRETCH + place));
        }
    }
    places
}

/// For each corner of the grid, which of the voxels around it are in: bit `4z + 2y + x` for the voxel on the
/// far side along those axes. In an image of two axes both sides along the first are the same voxel.
fn codes(volume: &Volume, first_axis: usize) -> (Vec<u8>, [usize; 3]) {
    let mut shape = volume.shape;
    for size in &mut shape[first_axis..] {
        *size += 1;
    }
    let mut codes = vec![0; shape.iter().product()];
    let [_, height, width] = volume.shape;
    let mut pairs = vec![0; width + 1];
    for (row, voxels) in volume.voxels.chunks_exact(width).enumerate() {
        if !voxels.contains(&true) {
            continue;
        }
        // Along the row every corner has a voxel before it and one behind.
        pairs.fill(0);
        for (place, is_in) in voxels.iter().enumerate() {
            pairs[place] |= u8::from(*is_in) << 1;
            pairs[place + 1] |= u8::from(*is_in);
        }
        let (z, y) = (row / height, row % height);
        // The row is on the far side of the corners at its own place, on the near side of the next.
        for (far_z, far_y) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let corner_z = if first_axis == 0 { z + 1 - far_z } else { z };
            let begin = (corner_z * shape[1] + y + 1 - far_y) * shape[2];
            for (code, pair) in codes[begin..=begin + width].iter_mut().zip(&pairs) {
                *code |= pair << (4 * far_z + 2 * far_y);
            }
        }
    }
    (codes, shape)
}

/// The area of the surface in a cell with these corners; the length in an image of two axes.
fn area(code: usize, spacing: [f64; 3], first_axis: usize) -> f64 {
    let mut corners: Vec<usize> = (0..8).filter(|corner| code >> corner & 1 == 1).collect();
    if corners.len() > 4 {
        corners = (0..8).filter(|corner| code >> corner & 1 == 0).collect();
    }
    let [z, y, x] = spacing;
    // In an image of two axes a cell is a column of height 1, whose sides are as long as its outline.
    let face = if first_axis == 0 { [y * x, z * x, z * y] } else { [0.0, x, y] };
    groups(&corners).iter().map(|group| group_area(group, face)).fold(0.0, |sum, area| sum + area)
}

/// Corners that touch along edges of the cell.
fn groups(corners: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for &corner in corners {
        let touches = |group: &Vec<usize>| group.iter().any(|other| are_neighbours(*other, corner));
        let (touching, mut rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(touches);
        let mut joined: Vec<usize> = touching.into_iter().flatten().collect();
        joined.push(corner);
        rest.push(joined);
        groups = rest;
    }
    groups
}

const fn are_neighbours(a: usize, b: usize) -> bool {
    (a ^ b).is_power_of_two()
}

/// The area of one group's surface, by the table above.
fn group_area(group: &[usize], face: [f64; 3]) -> f64 {
    let all = libm::sqrt(face.iter().fold(0.0, |sum, w| sum + w * w));
    // Bits that differ within the group: the axes that it extends along.
    let extent = group.iter().fold(0, |bits, corner| bits | corner ^ group[0]);
    let normal = || {
        (0..3).filter(|axis| extent & bit_of(*axis) == 0).fold(0.0, |sum, axis| sum + face[axis])
    };
    let neighbours = |corner: usize| group.iter().filter(|o| are_neighbours(**o, corner)).count();
    match group.len() {
        1 => all / 8.0,
        2 => {
            let across = (0..3).filter(|axis| extent & bit_of(*axis) == 0);
            libm::sqrt(across.fold(0.0, |sum, axis| sum + face[axis] * face[axis])) / 2.0
        }
        3 => normal() / 2.0 + 3.0 / 8.0 * all,
        4 if extent != 0b111 => normal(),
        4 if group.iter().any(|corner| neighbours(*corner) == 3) => 0.75 * all,
        4 => {
            let inner: Vec<usize> =
                group.iter().copied().filter(|corner| neighbours(*corner) == 2).collect();
            let middle = (0..3).find(|axis| inner[0] ^ inner[1] == bit_of(*axis)).unwrap_or(0);
            let beside = (0..3).filter(|axis| *axis != middle);
            let folds = beside.map(|axis| libm::hypot(face[middle], face[axis]));
            all / 2.0 + folds.fold(0.0, |sum, fold| sum + fold) / 4.0
        }
        _ => 0.0,
    }
}

/// The bit of an axis in the number of a corner.
const fn bit_of(axis: usize) -> usize {
    4 >> axis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_and_its_complement_have_the_same_surface() {
        for code in 0..CODES {
            let spacing = [2.5, 0.8, 1.3];
            let difference = area(code, spacing, 0) - area(CODES - 1 - code, spacing, 0);
            assert!(difference.abs() < 1e-12, "{code}");
        }
        assert!(area(0, [1.0; 3], 0).abs() < 1e-15 && area(255, [1.0; 3], 0).abs() < 1e-15);
    }

    #[test]
    fn the_table_holds_for_a_cell_of_each_kind() {
        let (three, half) = (3.0_f64.sqrt(), 0.5_f64.sqrt());
        let cells = [
            (0b0000_0001, three / 8.0),
            (0b0000_0011, half),
            (0b0000_0110, three / 4.0),
            (0b0000_0111, 0.5 + 3.0 / 8.0 * three),
            (0b0000_1111, 1.0),
            (0b0001_0111, 0.75 * three),
            (0b0001_1011, three / 2.0 + half),
            (0b0011_1100, 2.0 * half),
            (0b0110_1001, three / 2.0),
        ];
        for (code, wanted) in cells {
            assert!((area(code, [1.0; 3], 0) - wanted).abs() < 1e-12, "{code:b}");
        }
    }

    #[test]
    fn an_image_of_two_axes_has_outlines() {
        // Both sides along the first axis are the same.
        let spacing = [1.0, 2.0, 3.0];
        let corner = 13.0_f64.sqrt() / 2.0;
        for (code, wanted) in [
            (0b0001_0001, corner),
            (0b0011_0011, 3.0),
            (0b0101_0101, 2.0),
            (0b1001_1001, 2.0 * corner),
            (0b0111_0111, corner),
        ] {
            assert!((area(code, spacing, 1) - wanted).abs() < 1e-12, "{code:b}");
        }
    }
}
