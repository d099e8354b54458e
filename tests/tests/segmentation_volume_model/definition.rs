//! What a model's mask of a volume is, and what it is worth beside another, from their definitions.

use super::{APART, BOUND, Mask, Patient, SEEN, SEEN_APART, SIDES, TOLERANCE, places, real};

/// Along an axis, where a voxel of one grid lies in another whose middle is the same.
fn across(at: usize, sides: [usize; 2], apart: [f64; 2]) -> f64 {
    (real(at) - real(sides[0] - 1) / 2.0) * apart[0] / apart[1] + real(sides[1] - 1) / 2.0
}

/// The trilinear value at a place, which is held to the outermost voxels.
fn sampled(values: &[f64], sides: [usize; 3], place: [f64; 3]) -> f64 {
    let mut sum = 0.0;
    for corner in 0..8 {
        let (mut weight, mut voxel, mut stride) = (1.0, 0, 1);
        for axis in 0..3 {
            let at = place[axis].clamp(0.0, real(sides[axis] - 1));
            let (low, is_high) = (whole(at), corner >> axis & 1 == 1);
            let share = at - real(low);
            weight *= if is_high { share } else { 1.0 - share };
            voxel += stride * if is_high { (low + 1).min(sides[axis] - 1) } else { low };
            stride *= sides[axis];
        }
        sum += weight * values[voxel];
    }
    sum
}

/// The first and the last voxel of what the model sees along an axis that show the file.
fn shown(axis: usize) -> [usize; 2] {
    let is_shown = |at: &usize| {
        let place = across(*at, [SEEN[axis], SIDES[axis]], [SEEN_APART[axis], APART[axis]]);
        (-0.5..=real(SIDES[axis]) - 0.5).contains(&place)
    };
    let [first, last] = [(0..SEEN[axis]).find(is_shown), (0..SEEN[axis]).rfind(is_shown)];
    [first.unwrap(), last.unwrap()]
}

/// The mask of a model whose number of a voxel is `margin` of what it sees there, in a slice from the feet.
pub(crate) fn predicted(patient: &Patient, margin: impl Fn(f64, usize) -> f64) -> Mask {
    let measured: Vec<f64> = patient.measured.iter().map(|value| f64::from(*value)).collect();
    let numbers: Vec<f64> = places(SEEN)
        .map(|at| {
            let place = [0, 1, 2].map(|axis: usize| {
                across(at[axis], [SEEN[axis], SIDES[axis]], [SEEN_APART[axis], APART[axis]])
            });
            margin((sampled(&measured, SIDES, place) + 1000.0) / 2000.0, at[2])
        })
        .collect();
    let is_in = |at: [usize; 3]| {
        let mut place = [0.0; 3];
        for axis in 0..3 {
            let sides = [SIDES[axis], SEEN[axis]];
            let own = across(at[axis], sides, [APART[axis], SEEN_APART[axis]]);
            let ([first, last], end) = (shown(axis), real(SEEN[axis]) - 0.5);
            let is_cut = (first == 0 && own < -0.5) || (last + 1 == SEEN[axis] && own > end);
            if is_cut {
                return false;
            }
            place[axis] = own.clamp(real(first), real(last));
        }
        sampled(&numbers, SEEN, place) >= 0.0
    };
    places(SIDES).map(is_in).collect()
}

/// Dice, the 95th percentile of distances and normalised surface Dice; `None` where a mask is empty.
pub(crate) fn measured(reference: &Mask, predicted: &Mask) -> Option<[f64; 3]> {
    let size = |mask: &Mask| mask.iter().filter(|is_in| **is_in).count();
    if size(reference) == 0 || size(predicted) == 0 {
        return None;
    }
    let common = reference.iter().zip(predicted).filter(|(one, other)| **one && **other).count();
    let dice = 2.0 * real(common) / real(size(reference) + size(predicted));
    let (one, other) = (border(reference), border(predicted));
    let (there, back) = (nearest(&one, &other), nearest(&other, &one));
    let within = there.iter().chain(&back).filter(|mm| **mm <= TOLERANCE).count();
    let hd95 = percentile(&there).max(percentile(&back)).min(BOUND);
    Some([dice, hd95, real(within) / real(there.len() + back.len())])
}

/// Voxels with a neighbour across a face that is not in the mask.
fn border(mask: &Mask) -> Vec<[usize; 3]> {
    let is_in = |[x, y, z]: [usize; 3]| {
        let is_there = x < SIDES[0] && y < SIDES[1] && z < SIDES[2];
        is_there && mask[(z * SIDES[1] + y) * SIDES[0] + x]
    };
    let is_open = |at: [usize; 3]| {
        (0..3).any(|axis| {
            let (mut before, mut after) = (at, at);
            before[axis] = at[axis].wrapping_sub(1);
            after[axis] += 1;
            !is_in(before) || !is_in(after)
        })
    };
    places(SIDES).filter(|at| is_in(*at) && is_open(*at)).collect()
}

/// Millimetres from each of these to the nearest of those, sorted.
fn nearest(from: &[[usize; 3]], to: &[[usize; 3]]) -> Vec<f64> {
    let distance = |one: &[usize; 3], other: &[usize; 3]| {
        let apart = |axis: usize| real(one[axis].abs_diff(other[axis])) * APART[axis];
        (0..3).map(|axis| apart(axis).powi(2)).sum::<f64>().sqrt()
    };
    let least =
        |at: &[usize; 3]| to.iter().map(|of| distance(at, of)).fold(f64::INFINITY, f64::min);
    let mut distances: Vec<f64> = from.iter().map(least).collect();
    distances.sort_by(f64::total_cmp);
    distances
}

/// The 95th, between order statistics.
fn percentile(sorted: &[f64]) -> f64 {
    let place = 0.95 * real(sorted.len() - 1);
    let low = whole(place);
    let high = (low + 1).min(sorted.len() - 1);
    (place - place.floor()).mul_add(sorted[high] - sorted[low], sorted[low])
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
fn whole(of: f64) -> usize {
    of.floor() as usize
}
