//! Which voxels of a slice lie inside polygons, in whole numbers: the same corners give the same voxels everywhere.

use std::ops::Range;

/// Corners are counted in this share of a voxel's side: a decimal in one file and an affine transformation in single
/// precision in another then say the same.
const PARTS: i64 = 1024;

/// Most rows that edges of one slice meet, over all edges.
const MAX_TURNS: usize = 1 << 22;

/// Row and column, in parts of a voxel's side from the middle of the first voxel.
pub(super) type Corner = [i64; 2];

/// A place in voxels, in parts.
#[expect(clippy::cast_possible_truncation, reason = "held to the sides of a grid")]
pub(super) fn parts(voxels: f64) -> i64 {
    (voxels * 1024.0).round() as i64
}

/// Voxels side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) row: usize,
    pub(super) columns: Range<usize>,
}

/// The voxels of a slice whose middles lie inside the polygons, by the even-odd rule over all their edges; by row, then
/// by column. `None` of more edges than any structure has.
///
/// A middle on an edge is inside where the polygon's inside is behind or to the left of it, as the axes of a mask
/// count; so two polygons with a common edge share no voxel and leave out none.
pub(super) fn runs<'p>(
    polygons: impl IntoIterator<Item = &'p [Corner]>,
    [rows, columns]: [usize; 2],
) -> Option<Vec<Run>> {
    let mut turns = Vec::new();
    for polygon in polygons {
        let others = polygon.iter().cycle().skip(1);
        for (one, other) in polygon.iter().zip(others) {
            meet(*one, *other, &mut turns);
            if turns.len() > MAX_TURNS {
                return None;
            }
        }
    }
    turns.sort_unstable();
    // A closed line meets every row an even number of times.
    let (pairs, _) = turns.as_chunks::<2>();
    let run = |[(row, begin), (_, end)]: &[(i64, i64); 2]| {
        let row = usize::try_from(*row).ok().filter(|row| *row < rows)?;
        let [begin, end] = [begin, end]
            .map(|column| usize::try_from((*column).max(0)).unwrap_or(columns).min(columns));
        (begin < end).then_some(Run { row, columns: begin..end })
    };
    Some(pairs.iter().filter_map(run).collect())
}

/// Adds each row whose middle an edge meets, with the first column whose middle does not lie before the edge. The upper
/// end belongs to the edge, the lower to the next one. Which end was drawn first does not matter.
fn meet(one: Corner, other: Corner, turns: &mut Vec<(i64, i64)>) {
    let ([top, from], [bottom, to]) = if one[0] <= other[0] { (one, other) } else { (other, one) };
    let height = bottom - top;
    let mut row = ceiling(top, PARTS);
    while row * PARTS < bottom {
        let column = from * height + (row * PARTS - top) * (to - from);
        turns.push((row, ceiling(column, height * PARTS)));
        row += 1;
    }
}

/// The least whole number that is no less than a fraction; `by` is above 0.
const fn ceiling(of: i64, by: i64) -> i64 {
    -(-of).div_euclid(by)
}

/// How many voxels two lists of runs have in common.
pub(super) fn common(one: &[Run], other: &[Run]) -> usize {
    let (mut i, mut j, mut voxels) = (0, 0, 0);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        if a.row == b.row {
            let begin = a.columns.start.max(b.columns.start);
            voxels += a.columns.end.min(b.columns.end).saturating_sub(begin);
        }
        if (a.row, a.columns.end) <= (b.row, b.columns.end) {
            i += 1;
        } else {
            j += 1;
        }
    }
    voxels
}

/// How many voxels runs hold.
pub(super) fn size(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.columns.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Corners in voxels.
    fn polygon(corners: &[[f64; 2]]) -> Vec<Corner> {
        corners.iter().map(|corner| corner.map(parts)).collect()
    }

    fn square(top: f64, left: f64, side: f64) -> Vec<Corner> {
        let (bottom, right) = (top + side, left + side);
        polygon(&[[top, left], [top, right], [bottom, right], [bottom, left]])
    }

    fn of(polygons: &[Vec<Corner>]) -> Vec<Run> {
        runs(polygons.iter().map(Vec::as_slice), [20, 30]).expect("few edges")
    }

    #[test]
    fn a_middle_on_the_upper_or_left_edge_is_inside_and_on_the_others_it_is_not() {
        let runs = of(&[square(2.0, 3.0, 2.0)]);
        let run = |row| Run { row, columns: 3..5 };
        assert_eq!(runs, [run(2), run(3)]);
        let between = of(&[square(1.5, 2.5, 2.0)]);
        assert_eq!(between, runs, "half a voxel up and to the left");
    }

    #[test]
    fn squares_beside_each_other_share_no_voxel_and_leave_out_none() {
        for shift in [0.0, 0.25, 0.5, 0.75] {
            let (one, other) = (square(2.0 + shift, 3.0, 4.0), square(2.0 + shift, 7.0, 4.0));
            let below = square(6.0 + shift, 3.0, 4.0);
            let [one, other, below] = [one, other, below].map(|of_one| of(&[of_one]));
            assert_eq!((common(&one, &other), common(&one, &below)), (0, 0));
            assert_eq!((size(&one), size(&other), size(&below)), (16, 16, 16));
        }
        // A slanting edge that both have, drawn either way round.
        let one = of(&[polygon(&[[1.0, 1.0], [1.0, 9.0], [14.0, 20.0], [14.0, 1.0]])]);
        let other = of(&[polygon(&[[14.0, 20.0], [1.0, 9.0], [1.0, 25.0], [14.0, 25.0]])]);
        assert_eq!((common(&one, &other), size(&one) + size(&other)), (0, 13 * 24));
    }

    #[test]
    fn inner_contours_and_keyholes_are_holes() {
        let (outer, inner) = (square(2.0, 2.0, 10.0), square(5.0, 5.0, 3.0));
        assert_eq!(size(&of(&[outer.clone(), inner.clone()])), 100 - 9);
        // Out along the edge of a channel without width, round the hole, and back the same way.
        let keyhole = [
            &outer[..],
            &outer[..1],
            &inner[..1],
            &[inner[3], inner[2], inner[1]],
            &inner[..1],
            &outer[..1],
        ];
        let (one, other) = (of(&[keyhole.concat()]), of(&[outer, inner]));
        assert_eq!((size(&one), size(&other), common(&one, &other)), (91, 91, 91));
    }

    #[test]
    fn a_line_and_a_point_hold_nothing_and_what_is_beyond_the_slice_is_cut() {
        assert!(of(&[polygon(&[[3.0, 3.0]]), polygon(&[[3.0, 3.0], [9.0, 9.0]])]).is_empty());
        assert_eq!(size(&of(&[square(-1.0, -1.0, 3.0)])), 4);
        assert_eq!(size(&of(&[square(-1.0, -1.0, 100.0)])), 600);
    }

    #[test]
    fn endless_edges_are_refused() {
        let zigzag: Vec<Corner> = (0..1 << 19).map(|at| [at % 2 * 20 * PARTS, 0]).collect();
        assert_eq!(runs([&zigzag[..]], [20, 30]), None);
    }
}
