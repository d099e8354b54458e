//! Tensors of volumes against their definition, worked out voxel by voxel of a volume that is held whole.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a few voxels"
)]

use fedval_preprocess::Unfit;
use fedval_preprocess::probe::{Content, Expected, Probes};
use fedval_preprocess::volume::{
    SliceGeometry, StackFault, VolumeBuilder, VolumeGrid, VolumePlacement, stacked, stored_input,
};
use fedval_study::ProbeName;
use fedval_study::protocol::{
    FrameChoice, GantryTilt, Layout, ModelInput, Monochrome1, Resize, Towards, ValueScaling,
    VolumeInput,
};

fn input(sides: [u32; 3], order: &str, spacing_mm: [f64; 3], scaling: ValueScaling) -> ModelInput {
    let [depth, height, width] = sides;
    let orientation = order.parse().unwrap();
    let gantry_tilt = GantryTilt::Refuse;
    let (padding, slab) = (-5.0, None);
    ModelInput {
        name: "volume".to_owned(),
        layout: Layout::Nchw,
        height,
        width,
        channels: 1,
        scaling,
        mean: 0.5,
        standard_deviation: 0.25,
        resize: Resize::Refuse,
        monochrome1: Monochrome1::Refuse,
        frame: FrameChoice::Only,
        volume: Some(VolumeInput { depth, gantry_tilt, orientation, spacing_mm, padding, slab }),
    }
}

/// Numbers without a pattern.
fn voxels(count: usize) -> Vec<f32> {
    (0..count).map(|voxel| ((voxel * 7919 + 13) % 211) as f32).collect()
}

fn built(grid: &VolumeGrid, input: &ModelInput, voxels: &[f32]) -> Result<Vec<f32>, Unfit> {
    let mut builder = VolumeBuilder::new(grid, input)?;
    for slice in voxels.chunks(grid.lengths[0] * grid.lengths[1]) {
        builder.take(slice)?;
    }
    builder.finish()
}

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

#[test]
fn every_order_of_axes_is_that_of_the_definition() {
    let lengths = [5, 7, 4];
    let size: usize = lengths.iter().product();
    let voxels = voxels(size);
    let window = ValueScaling::Window { low: 20.0, high: 150.0 };
    for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for ways in 0..8 {
            let mut steps = [[0.0; 3]; 3];
            for axis in 0..3 {
                let sign = if ways >> axis & 1 == 1 { -1.0 } else { 1.0 };
                steps[axis][axes[axis]] = sign * [0.7, 1.3, 3.1][axis];
            }
            let grid = VolumeGrid { lengths, steps };
            for order in ["SPL", "RAS", "PIR"] {
                // Cropped along some axes and padded along others.
                for (sides, spacing) in [([4, 3, 6], [1.0, 0.9, 1.7]), ([9, 8, 3], [2.0, 2.3, 0.4])]
                {
                    for scaling in [ValueScaling::Modality, window] {
                        let input = input(sides, order, spacing, scaling);
                        let found = built(&grid, &input, &voxels).unwrap();
                        assert_near(&found, &defined(&grid, &input, &voxels));
                    }
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
    for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for ways in 0..8 {
            let mut steps = [[0.0; 3]; 3];
            for axis in 0..3 {
                let sign = if ways >> axis & 1 == 1 { -1.0 } else { 1.0 };
                steps[axis][axes[axis]] = sign * [0.7, 1.3, 3.1][axis];
            }
            let grid = VolumeGrid { lengths, steps };
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
                    assert!(apart.is_none_or(|apart| apart < 1e-3), "{axes:?} {ways}");
                }
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

#[test]
fn what_is_no_volume_is_refused_before_anything_is_allocated() {
    let input = input([4, 4, 4], "SPL", [1.0; 3], ValueScaling::Modality);
    let upright = [[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]];
    let refused = |lengths, steps: [[f64; 3]; 3]| {
        VolumeBuilder::new(&VolumeGrid { lengths, steps }, &input).map(drop)
    };
    assert_eq!(refused([3, 3, 3], upright), Ok(()));
    assert_eq!(refused([3, 3, 1], upright), Err(Unfit::OneSlice));
    assert_eq!(refused([3, 1 << 20, 3], upright), Err(Unfit::Size));
    for step in [0.0, f64::NAN, f64::INFINITY, 1e9] {
        let steps = [upright[0], upright[1], [0.0, 0.0, step]];
        assert_eq!(refused([3, 3, 3], steps), Err(Unfit::Spacing), "{step}");
    }
    let leaning = [upright[0], upright[1], [0.0, 0.2, 1.0]];
    assert_eq!(refused([3, 3, 3], leaning), Err(Unfit::Orientation));
    // By 45 degrees: neither axis is the nearer one.
    let between = [[1.0, 1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    assert_eq!(refused([3, 3, 3], between), Err(Unfit::Orientation));
    let voi = ModelInput { scaling: ValueScaling::Voi, ..input.clone() };
    let grid = VolumeGrid { lengths: [3, 3, 3], steps: upright };
    assert_eq!(VolumeBuilder::new(&grid, &voi).map(drop), Err(Unfit::ValueMapping));
}

#[test]
fn slices_that_are_missing_too_many_or_no_numbers_are_refused() {
    let input = input([2, 2, 2], "SPL", [1.0; 3], ValueScaling::Modality);
    let steps = [[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]];
    let grid = VolumeGrid { lengths: [2, 2, 2], steps };
    assert_eq!(built(&grid, &input, &[1.0; 4]), Err(Unfit::PixelCount));
    assert_eq!(built(&grid, &input, &[1.0; 12]), Err(Unfit::PixelCount));
    assert_eq!(built(&grid, &input, &[1.0; 7]), Err(Unfit::PixelCount));
    assert_eq!(built(&grid, &input, &[f32::NAN; 8]), Err(Unfit::ValueMapping));
    assert!(built(&grid, &input, &[1.0; 8]).is_ok());
    // Slices are read as they were measured, whatever becomes of them.
    let windowed = ModelInput { scaling: ValueScaling::Window { low: 0.0, high: 1.0 }, ..input };
    let stored = stored_input(&windowed);
    assert_eq!((stored.scaling, stored.volume), (ValueScaling::Modality, None));
}

#[test]
fn probes_of_volumes_are_their_own_and_each_shows_its_fault() {
    let window = ValueScaling::Window { low: -1000.0, high: 400.0 };
    let input = input([12, 16, 20], "SPL", [2.5, 1.2, 0.7], window);
    let probes = Probes::of(&input);
    let names: Vec<ProbeName> = probes.images.iter().map(|probe| probe.name).collect();
    assert_eq!(names, ProbeName::VOLUMES);
    for probe in &probes.images {
        let truth = probe.truth(&probes.input);
        match probe.name {
            ProbeName::VolumeGap => assert_eq!(truth, Err(Unfit::Stack(StackFault::Gap))),
            _ => assert_eq!(truth.unwrap().len(), 12 * 16 * 20),
        }
    }
    let expected = probes.expected();
    assert_eq!(Expected::default().check(&input, &expected), Ok(()));
    // Another order of axes, spacing or window: the probe that is told is the first that shows it.
    let told = |other: &ModelInput| {
        Expected::default().check(&input, &Probes::of(other).expected()).unwrap_err().probe
    };
    let with = |change: &dyn Fn(&mut VolumeInput)| {
        let mut other = input.clone();
        change(other.volume.as_mut().unwrap());
        other
    };
    assert_eq!(
        told(&with(&|volume| volume.orientation = "SPR".parse().unwrap())),
        ProbeName::VolumeOrientation
    );
    // Pictures of the same input have other probes.
    let picture = ModelInput { volume: None, ..input.clone() };
    assert!(Expected::default().check(&picture, &expected).is_err());
    // Whoever takes a series in the order of its files sees another one.
    let Content::Series(series) = &probes.images[3].content else { panic!("a series") };
    let heads: Vec<f64> = series.slices.iter().map(|(place, _)| place[2].value()).collect();
    assert!(!heads.is_sorted() && !heads.iter().rev().is_sorted());
}

#[test]
fn positions_with_two_digits_are_even_and_a_twentieth_is_not() {
    let at = |head: f64| SliceGeometry {
        position: [0.0, 0.0, head],
        orientation: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        spacing: [0.5, 0.5],
        rows: 4,
        columns: 4,
    };
    let stack = |heads: &[f64]| {
        stacked(&heads.iter().map(|head| at(*head)).collect::<Vec<_>>(), GantryTilt::Refuse)
    };
    // 0.625 mm apart, rounded to hundredths.
    let rounded = stack(&[0.0, 0.63, 1.25, 1.88, 2.5]).unwrap();
    assert!((rounded.grid.spacing()[2] - 0.625).abs() < 1e-12);
    assert_eq!(stack(&[0.0, 1.0, 2.06, 3.0]).map(drop), Err(StackFault::Gap));
    assert_eq!(stack(&[0.0, 1.0, 1.000_5, 2.0]).map(drop), Err(StackFault::Duplicate));
    assert_eq!(stack(&[3.0, 1.0, 2.0, 0.0]).unwrap().order, [3, 1, 2, 0]);
}

#[test]
fn cosines_with_three_digits_leave_upright_slices_upright_and_as_far_apart_as_they_are() {
    // Of length 0.99985 along a row. A slab of 480 slices along the normal, half a millimetre apart.
    let half = 0.5_f64.sqrt();
    let slice = |index: u32| SliceGeometry {
        position: [half, -half, 0.0].map(|part| part * 0.5 * f64::from(index)),
        orientation: [[0.707, 0.707, 0.0], [0.0, 0.0, -1.0]],
        spacing: [0.5, 0.5],
        rows: 4,
        columns: 4,
    };
    let slices: Vec<SliceGeometry> = (0..480).map(slice).collect();
    let stack = stacked(&slices, GantryTilt::Refuse).unwrap();
    assert!((stack.grid.spacing()[2] - 0.5).abs() < 1e-9, "{}", stack.grid.spacing()[2]);
    let tilted = stacked(&slices, GantryTilt::Resample).unwrap();
    assert_eq!(tilted.shift.map(f64::to_bits), [0, 0]);
}

/// Axial slices of so many rows and columns of a millimetre, whose first pixels lie at these places.
fn slices(places: &[[f64; 3]], rows: usize, columns: usize) -> Vec<SliceGeometry> {
    let at = |position: &[f64; 3]| SliceGeometry {
        position: *position,
        orientation: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        spacing: [1.0, 1.0],
        rows,
        columns,
    };
    places.iter().map(at).collect()
}

/// An input that takes tilted gantries and shows what was measured.
fn tilted(sides: [u32; 3], order: &str, spacing_mm: [f64; 3]) -> ModelInput {
    let mut input = input(sides, order, spacing_mm, ValueScaling::Modality);
    (input.mean, input.standard_deviation) = (0.0, 1.0);
    input.volume.as_mut().unwrap().gantry_tilt = GantryTilt::Resample;
    input
}

#[test]
fn shifted_slices_are_shifted_back_to_the_middle_one_and_padded_where_they_end() {
    // By a row to the back for each slice: whole pixels, so that nothing is interpolated.
    let places = [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 2.0, 2.0]];
    let stack = stacked(&slices(&places, 4, 4), GantryTilt::Resample).unwrap();
    assert_eq!(stack.shift.to_vec(), [0.0, 1.0]);
    let voxels = voxels(48);
    let read = |order: &str| {
        let mut builder =
            VolumeBuilder::of_stack(&stack, &tilted([3, 4, 4], order, [1.0; 3])).unwrap();
        voxels.chunks(16).for_each(|slice| builder.take(slice).unwrap());
        builder.finish().unwrap()
    };
    let found = read("SPL");
    let turned = read("SAR");
    for slice in 0..3 {
        for row in 0..4_usize {
            for column in 0..4 {
                // Row `row` of the middle slice is row `row + 1 - slice` of this one.
                let own = (row + 1).checked_sub(slice).filter(|own| *own < 4);
                let expected = own.map_or(-5.0, |own| voxels[slice * 16 + own * 4 + column]);
                let place = slice * 16 + row * 4 + column;
                assert!((found[place] - expected).abs() < 1e-6, "{slice} {row} {column}");
                let turned = turned[slice * 16 + (3 - row) * 4 + 3 - column];
                assert!((turned - expected).abs() < 1e-6, "{slice} {row} {column}");
            }
        }
    }
}

#[test]
fn a_field_without_bends_is_the_same_from_a_tilted_gantry() {
    // To the left, back and head of the first pixel; shifts of parts of a pixel along both axes of the plane.
    let field = |[left, back, head]: [f64; 3]| 3.0 * left - 2.0 * back + 5.0 * head;
    let places: Vec<[f64; 3]> =
        (0..7).map(|slice| [0.1, 0.3, 0.8].map(|mm| mm * f64::from(slice))).collect();
    // From row to row, then from column to column.
    let spacing = [1.3, 0.7];
    let mut slices = slices(&places, 12, 14);
    for slice in &mut slices {
        slice.spacing = spacing;
    }
    let stack = stacked(&slices, GantryTilt::Resample).unwrap();
    let [between_rows, between_columns] = spacing;
    let input = tilted([5, 4, 3], "SPL", [0.7, 1.3, 0.9]);
    let mut builder = VolumeBuilder::of_stack(&stack, &input).unwrap();
    for [left, back, head] in &places {
        let slice: Vec<f32> = (0..12 * 14)
            .map(|pixel| (f64::from(pixel % 14), f64::from(pixel / 14)))
            .map(|(column, row)| [between_columns * column, between_rows * row])
            .map(|[along, down]| field([left + along, back + down, *head]) as f32)
            .collect();
        builder.take(&slice).unwrap();
    }
    let found = builder.finish().unwrap();
    // The middle of the middle slice.
    let middle = [0.3 + 6.5 * between_columns, 0.9 + 5.5 * between_rows, 2.4];
    for (place, found) in found.iter().enumerate() {
        let at = [place / 12, place / 3 % 4, place % 3];
        let [depth, height, width] = [0, 1, 2].map(|axis: usize| {
            (at[axis] as f64 - [4.0, 3.0, 2.0][axis] / 2.0) * [0.7, 1.3, 0.9][axis]
        });
        let expected = field([middle[0] + width, middle[1] + height, middle[2] + depth]);
        assert!((f64::from(*found) - expected).abs() < 1e-4, "{at:?}: {found} for {expected}");
    }
}

#[test]
fn what_no_gantry_does_is_refused_as_before() {
    let along = |back: &[f64]| -> Vec<[f64; 3]> {
        (0..).zip(back).map(|(slice, back)| [0.0, *back, f64::from(slice)]).collect()
    };
    let of = |back: &[f64], tilt| stacked(&slices(&along(back), 4, 4), tilt).map(|of| of.shift);
    let even = [0.0, 0.3, 0.6, 0.9];
    assert_eq!(of(&even, GantryTilt::Refuse), Err(StackFault::Shifted));
    let shift = of(&even, GantryTilt::Resample).unwrap();
    assert!(shift[0].abs() < 1e-12 && (shift[1] - 0.3).abs() < 1e-12, "{shift:?}");
    // One that jumps, one that turns back, and one by more than 45 degrees.
    for back in [[0.0, 0.3, 0.9, 0.9], [0.0, 0.5, 0.5, 0.0], [0.0, 1.1, 2.2, 3.3]] {
        assert_eq!(of(&back, GantryTilt::Resample), Err(StackFault::Shifted), "{back:?}");
    }
    // What lies within a tenth of a pixel is upright, by either choice.
    for tilt in [GantryTilt::Refuse, GantryTilt::Resample] {
        assert_eq!(of(&[0.0, 0.02, 0.05, 0.09], tilt), Ok([0.0; 2]));
    }
}

#[test]
fn a_protocol_that_takes_tilted_gantries_has_a_probe_for_them() {
    let input = tilted([12, 16, 20], "SPL", [2.5, 1.2, 0.7]);
    let probes = Probes::of(&input);
    let names: Vec<ProbeName> = probes.images.iter().map(|probe| probe.name).collect();
    assert_eq!(names, ProbeName::TILTED_VOLUMES);
    let expected = probes.expected();
    assert_eq!(Expected::default().check(&input, &expected), Ok(()));
    let tilt = &probes.images[5];
    let tensor = tilt.truth(&probes.input).unwrap();
    assert_eq!(tensor.len(), 12 * 16 * 20);
    // Who stacks the slices as if they were upright is told so by this probe and no other.
    let Content::Series(series) = &tilt.content else { panic!("a series") };
    let mut upright = series.clone();
    let back = upright.slices[0].0[1];
    upright.slices.iter_mut().for_each(|(place, _)| place[1] = back);
    let content = Content::Series(upright);
    let stacked_upright = fedval_preprocess::probe::Probe { content, ..tilt.clone() };
    assert_ne!(stacked_upright.truth(&probes.input).unwrap(), tensor);
    let refusing = ModelInput {
        volume: input
            .volume
            .map(|volume| VolumeInput { gantry_tilt: GantryTilt::Refuse, ..volume }),
        ..input.clone()
    };
    let told = Expected::default().check(&input, &Probes::of(&refusing).expected()).unwrap_err();
    assert_eq!(told.probe, ProbeName::VolumeTilt);
}
