//! Slices of a series as a volume, upright or of a tilted gantry.

use fedval_preprocess::probe::{Content, Expected, Probes};
use fedval_preprocess::volume::{SliceGeometry, StackFault, VolumeBuilder, stacked};
use fedval_study::ProbeName;
use fedval_study::protocol::{GantryTilt, ModelInput, ValueScaling, VolumeInput};

use super::{input, voxels};

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
