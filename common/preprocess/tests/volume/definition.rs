//! Every voxel beside what the definition says of it, to the tensor and back.

use fedval_preprocess::Unfit;
use fedval_preprocess::volume::{VolumeGrid, VolumePlacement};
use fedval_study::protocol::{ModelInput, Towards, ValueScaling};

use super::{built, input, voxels};

/// The trilinear value at a place in voxels of the file; `None` beyond the outermost voxels.
fn value_at(grid: &VolumeGrid, voxels: &[f32], place: [f64; 3]) -> Option<f64> {
    let mut value = 0.0;
    for (axis, at) in place.into_iter().enumerate() {
        if !(-0.5..=grid.lengths[axis] as f64 - 0.5).contains(&at) {
            return None;
        }
    }
    for corner in 0..8 {
        let (mut weight, mut voxel, mut stride) = (1.0, 0, 1);
        for (axis, at) in place.into_iter().enumerate() {
            let last = grid.lengths[axis] - 1;
            let at = at.clamp(0.0, last as f64);
            let (low, is_high) = (at.floor() as usize, corner >> axis & 1 == 1);
            let share = at - low as f64;
            weight *= if is_high { share } else { 1.0 - share };
            voxel += stride * if is_high { (low + 1).min(last) } else { low };
            stride *= grid.lengths[axis];
        }
        value += weight * f64::from(voxels[voxel]);
    }
    Some(value)
}

/// The whole definition for axes that are the patient's.
fn defined(grid: &VolumeGrid, input: &ModelInput, voxels: &[f32]) -> Vec<f64> {
    let volume = input.volume.unwrap();
    let sides = [volume.depth, input.height, input.width].map(|side| side as usize);
    let mut tensor = Vec::new();
    for voxel in 0..sides.iter().product::<usize>() {
        let at = [voxel / (sides[1] * sides[2]), voxel / sides[2] % sides[1], voxel % sides[2]];
        // From the middle, in millimetres to the right, front and head.
        let mut way = [0.0; 3];
        for place in 0..3 {
            let mm =
                (at[place] as f64 - (sides[place] - 1) as f64 / 2.0) * volume.spacing_mm[place];
            let (part, goes_there) = Towards::axis(volume.orientation.towards()[place]);
            way[part] = if goes_there { mm } else { -mm };
        }
        let place = [0, 1, 2].map(|axis: usize| {
            let part = (0..3).find(|part| grid.steps[axis][*part].abs() > 0.0).unwrap();
            way[part] / grid.steps[axis][part] + (grid.lengths[axis] - 1) as f64 / 2.0
        });
        let value = value_at(grid, voxels, place).unwrap_or(volume.padding);
        let value = match input.scaling {
            ValueScaling::Window { low, high } => ((value - low) / (high - low)).clamp(0.0, 1.0),
            _ => value,
        };
        tensor.push((value - input.mean) / input.standard_deviation);
    }
    tensor
}

#[track_caller]
fn assert_near(found: &[f32], defined: &[f64]) {
    assert_eq!(found.len(), defined.len());
    for (found, defined) in found.iter().zip(defined) {
        assert!((f64::from(*found) - defined).abs() < 1e-3, "{found} is not {defined}");
    }
}

/// Every order of a file's axes, each of them either way.
fn every_grid(lengths: [usize; 3]) -> impl Iterator<Item = VolumeGrid> {
    let orders: [[usize; 3]; 6] =
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let both = orders.into_iter().flat_map(|axes| (0..8_u32).map(move |ways| (axes, ways)));
    both.map(move |(axes, ways)| {
        let mut steps = [[0.0; 3]; 3];
        for axis in 0..3 {
            let sign = if ways >> axis & 1 == 1 { -1.0 } else { 1.0 };
            steps[axis][axes[axis]] = sign * [0.7, 1.3, 3.1][axis];
        }
        VolumeGrid { lengths, steps }
    })
}

#[test]
fn every_order_of_axes_is_that_of_the_definition() {
    let lengths = [5, 7, 4];
    let size: usize = lengths.iter().product();
    let voxels = voxels(size);
    let window = ValueScaling::Window { low: 20.0, high: 150.0 };
    for grid in every_grid(lengths) {
        for order in ["SPL", "RAS", "PIR"] {
            // Cropped along some axes and padded along others.
            for (sides, spacing) in [([4, 3, 6], [1.0, 0.9, 1.7]), ([9, 8, 3], [2.0, 2.3, 0.4])] {
                for scaling in [ValueScaling::Modality, window] {
                    let input = input(sides, order, spacing, scaling);
                    let found = built(&grid, &input, &voxels).unwrap();
                    assert_near(&found, &defined(&grid, &input, &voxels));
                }
            }
        }
    }
}

/// The numbers at each voxel of the file by trilinear interpolation of the tensor in millimetres; `None` beyond it.
fn defined_back(grid: &VolumeGrid, input: &ModelInput, tensor: &[f32]) -> Vec<Option<f64>> {
    let volume = input.volume.unwrap();
    let sides = [volume.depth, input.height, input.width].map(|side| side as usize);
    // The tensor as a file whose axes are width, height, depth.
    let mut steps = [[0.0; 3]; 3];
    for place in 0..3 {
        let (part, goes_there) = Towards::axis(volume.orientation.towards()[place]);
        let mm = volume.spacing_mm[place];
        steps[2 - place][part] = if goes_there { mm } else { -mm };
    }
    let frame = VolumeGrid { lengths: [sides[2], sides[1], sides[0]], steps };
    (0..grid.lengths.iter().product::<usize>())
        .map(|voxel| {
            let [columns, rows, _] = grid.lengths;
            let at = [voxel % columns, voxel / columns % rows, voxel / columns / rows];
            let from_middle = [0, 1, 2]
                .map(|axis: usize| at[axis] as f64 - (grid.lengths[axis] - 1) as f64 / 2.0);
            let way = [0, 1, 2].map(|part: usize| {
                (0..3).map(|axis| from_middle[axis] * grid.steps[axis][part]).sum::<f64>()
            });
            let place = [0, 1, 2].map(|axis: usize| {
                let part = (0..3).find(|part| frame.steps[axis][*part].abs() > 0.0).unwrap();
                way[part] / frame.steps[axis][part] + (frame.lengths[axis] - 1) as f64 / 2.0
            });
            value_at(&frame, tensor, place)
        })
        .collect()
}

#[test]
fn numbers_come_back_to_the_files_own_voxels_by_the_definition() {
    let lengths = [5, 7, 4];
    for grid in every_grid(lengths) {
        // Every voxel of the tensor lies in the volume: there is no padding.
        let input = input([4, 3, 6], "PIR", [1.0, 1.2, 0.6], ValueScaling::Modality);
        let placement = VolumePlacement::of(&grid, &input).unwrap();
        let channels = [voxels(72), voxels(144).split_off(72)];
        let mut found = vec![[None; 2]; lengths.iter().product()];
        let each = |[column, row, slice]: [usize; 3], numbers: &[f32]| {
            let place = (slice * lengths[1] + row) * lengths[0] + column;
            found[place] = [Some(numbers[0]), Some(numbers[1])];
        };
        placement.each_voxel(&channels.concat(), 2, each).unwrap();
        for (channel, tensor) in channels.iter().enumerate() {
            let wanted = defined_back(&grid, &input, tensor);
            assert!(wanted.iter().any(Option::is_some) && wanted.iter().any(Option::is_none));
            for (found, wanted) in found.iter().zip(wanted) {
                let apart = found[channel].zip(wanted).map(|(a, b)| (f64::from(a) - b).abs());
                assert_eq!(found[channel].is_some(), wanted.is_some());
                assert!(apart.is_none_or(|apart| apart < 1e-3), "{grid:?}");
            }
        }
    }
}

#[test]
fn a_field_that_grows_evenly_goes_to_the_tensor_and_comes_back() {
    let grid = VolumeGrid {
        lengths: [9, 8, 6],
        steps: [[-1.0, 0.0, 0.0], [0.0, 0.0, -1.5], [0.0, -2.0, 0.0]],
    };
    let ramp = |[column, row, slice]: [usize; 3]| (3 * column + 5 * row + 7 * slice) as f32;
    let places = || (0..9 * 8 * 6).map(|at| [at % 9, at / 9 % 8, at / 72]);
    let field: Vec<f32> = places().map(ramp).collect();
    // Finer along one axis, coarser along another, with padding on all sides.
    let mut input = input([16, 20, 9], "SPL", [1.5, 0.7, 1.3], ValueScaling::Modality);
    (input.mean, input.standard_deviation) = (0.0, 1.0);
    let tensor = built(&grid, &input, &field).unwrap();
    let mut seen = 0;
    let placement = VolumePlacement::of(&grid, &input).unwrap();
    let each = |at: [usize; 3], numbers: &[f32]| {
        seen += 1;
        let is_inner =
            [(at[0], 9), (at[1], 8), (at[2], 6)].iter().all(|(a, n)| *a > 0 && a + 1 < *n);
        assert!(!is_inner || (numbers[0] - ramp(at)).abs() < 1e-3, "{at:?}");
    };
    placement.each_voxel(&tensor, 1, each).unwrap();
    assert_eq!(seen, 9 * 8 * 6, "padding speaks of no voxel, and leaves none without a number");
    for count in [0, tensor.len() - 1, tensor.len() + 1, 2 * tensor.len()] {
        let refused = placement.each_voxel(&vec![0.0; count], 1, |_, _| ());
        assert_eq!(refused, Err(Unfit::PixelCount));
    }
}
