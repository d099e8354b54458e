//! Tensors of volumes against their definition, worked out voxel by voxel of a volume that is held whole.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a few voxels"
)]

mod definition;
mod stack;

use fedval_preprocess::Unfit;
use fedval_preprocess::probe::{Content, Expected, Probes};
use fedval_preprocess::volume::{StackFault, VolumeBuilder, VolumeGrid, stored_input};
use fedval_study::ProbeName;
use fedval_study::protocol::{
    FrameChoice, GantryTilt, Layout, ModelInput, Monochrome1, Resize, ValueScaling, VolumeInput,
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
