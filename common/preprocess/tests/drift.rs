//! Every kind of drift, made on purpose, is told apart from every other by the probes.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use fedval_preprocess::probe::{Content, Drift, Expected, Probe, Probes, compare, digest};
use fedval_preprocess::{GreyMapping, Modality, StoredValues, Unfit, standardised};
use fedval_study::protocol::{FrameChoice, Layout, ModelInput, Monochrome1, Resize, ValueScaling};
use fedval_study::summary::FailureReason;
use fedval_study::{ProbeDigests, ProbeName, Sha256Digest};

/// What a site makes of a probe.
type Outcome = Result<Vec<f32>, FailureReason>;

/// Lungs in a window, 24 rows of 32.
fn lung() -> ModelInput {
    ModelInput {
        name: "image".to_owned(),
        layout: Layout::Nchw,
        height: 24,
        width: 32,
        channels: 1,
        scaling: ValueScaling::Window { low: -1350.0, high: 150.0 },
        mean: 0.5,
        standard_deviation: 0.25,
        resize: Resize::Bilinear,
        monochrome1: Monochrome1::Invert,
        frame: FrameChoice::Only,
        volume: None,
    }
}

fn square() -> ModelInput {
    ModelInput { height: 32, ..lung() }
}

fn outcome(probe: &Probe, input: &ModelInput) -> Outcome {
    probe.truth(input).map_err(Unfit::reason)
}

/// What a site sends that makes `of` each probe.
fn found(input: &ModelInput, of: impl Fn(&Probe, &ModelInput) -> Outcome) -> ProbeDigests {
    let probes = Probes::of(input);
    let one = |probe: &Probe| {
        let outcome = of(probe, &probes.input);
        (probe.name, digest(probe.name, &probes.input, outcome.as_deref().map_err(|of| *of)))
    };
    probes.images.iter().map(one).collect()
}

/// The probe that gives a site away.
#[track_caller]
fn told(input: &ModelInput, of: impl Fn(&Probe, &ModelInput) -> Outcome) -> ProbeName {
    let drift = Expected::default().check(input, &found(input, of)).unwrap_err();
    assert!(drift.to_string().contains(drift.probe.as_str()), "{drift}");
    drift.probe
}

/// What a site sends that preprocesses as if the protocol said something else.
fn as_if(change: impl Fn(&mut ModelInput)) -> impl Fn(&Probe, &ModelInput) -> Outcome {
    move |probe, input| {
        let mut other = input.clone();
        change(&mut other);
        outcome(probe, &other)
    }
}

/// The tensor's pixels, of one channel, taken from elsewhere.
fn moved(
    input: &ModelInput,
    from: impl Fn(usize, usize) -> (usize, usize),
) -> impl Fn(&Probe, &ModelInput) -> Outcome {
    let (height, width) = (input.height as usize, input.width as usize);
    move |probe, input| {
        let tensor = outcome(probe, input)?;
        let pixel = |place: usize| {
            let (row, column) = from(place / width, place % width);
            tensor[row * width + column]
        };
        Ok((0..height * width).map(pixel).collect())
    }
}

#[test]
fn a_site_that_does_what_the_protocol_says_agrees() {
    for scaling in [
        ValueScaling::Unit,
        ValueScaling::Modality,
        ValueScaling::Voi,
        ValueScaling::Window { low: 0.0, high: 1.0 },
    ] {
        for frame in [FrameChoice::Only, FrameChoice::Middle, FrameChoice::Number(9)] {
            for (channels, layout) in [(1, Layout::Nchw), (3, Layout::Nhwc)] {
                let input = ModelInput { scaling, frame, channels, layout, ..lung() };
                let sent = found(&input, outcome);
                assert_eq!(sent.all().count(), ProbeName::PICTURES.len());
                assert_eq!(Expected::default().check(&input, &sent), Ok(()));
            }
        }
    }
}

#[test]
fn every_turn_and_mirror_is_told_as_orientation() {
    type Map = fn(usize, usize, usize) -> (usize, usize);
    let (input, last) = (square(), 31);
    let maps: [Map; 7] = [
        |row, column, last| (row, last - column),
        |row, column, last| (last - row, column),
        |row, column, last| (last - row, last - column),
        |row, column, _| (column, row),
        |row, column, last| (column, last - row),
        |row, column, last| (last - column, row),
        |row, column, last| (last - column, last - row),
    ];
    for map in maps {
        let turned = moved(&input, move |row, column| map(row, column, last));
        assert_eq!(told(&input, turned), ProbeName::Orientation);
    }
    // One pixel to the side is no other orientation, and shows all the same.
    let shifted = moved(&input, move |row, column| (row, (column + 1).min(last)));
    assert_eq!(told(&input, shifted), ProbeName::Orientation);
}

#[test]
fn a_window_that_is_off_by_one_is_told_as_windowing() {
    for (low, high) in [(-1351.0, 150.0), (-1350.0, 149.0), (-1349.0, 151.0)] {
        let drifted = as_if(move |input| input.scaling = ValueScaling::Window { low, high });
        assert_eq!(told(&lung(), drifted), ProbeName::Windowing, "{low} {high}");
    }
    // The same width around the middle: an S in the place of a line.
    let curved = |probe: &Probe, input: &ModelInput| -> Outcome {
        let straight = |value: f32| value * 0.25 + 0.5;
        let s = |value: f32| ((3.0 - 2.0 * value) * value * value - 0.5) / 0.25;
        outcome(probe, input).map(|tensor| tensor.into_iter().map(|v| s(straight(v))).collect())
    };
    assert_eq!(told(&lung(), curved), ProbeName::Windowing);
}

#[test]
fn another_filter_or_fit_is_told_as_resize() {
    let letterbox = as_if(|input| input.resize = Resize::Letterbox);
    assert_eq!(told(&lung(), letterbox), ProbeName::Resize);
    let refuse = as_if(|input| input.resize = Resize::Refuse);
    assert_eq!(told(&lung(), refuse), ProbeName::Resize);
    // The nearest pixel instead of a mean of four.
    let nearest = |probe: &Probe, input: &ModelInput| -> Outcome {
        let size = |side: u32| side as usize;
        let (height, width) = (size(input.height), size(input.width));
        let (from_height, from_width) = (size(probe.height), size(probe.width));
        let own = ModelInput { height: probe.height, width: probe.width, ..input.clone() };
        let whole = outcome(probe, &own)?;
        let pixel = |place: usize| {
            let row = (place / width) * from_height / height;
            let column = (place % width) * from_width / width;
            whole[row * from_width + column]
        };
        Ok((0..height * width).map(pixel).collect())
    };
    assert_eq!(told(&lung(), nearest), ProbeName::Resize);
    // A site that resizes what the protocol wants refused.
    let strict = ModelInput { resize: Resize::Refuse, ..lung() };
    let bilinear = as_if(|input| input.resize = Resize::Bilinear);
    assert_eq!(told(&strict, bilinear), ProbeName::Resize);
}

#[test]
fn a_missing_division_or_another_mean_is_told_as_scaling() {
    let times = |factor: f32| {
        move |probe: &Probe, input: &ModelInput| -> Outcome {
            outcome(probe, input).map(|tensor| tensor.into_iter().map(|v| v * factor).collect())
        }
    };
    // Nothing was divided by the largest storable value, or by the standard deviation.
    let unit =
        ModelInput { scaling: ValueScaling::Unit, mean: 0.0, standard_deviation: 1.0, ..lung() };
    assert_eq!(told(&unit, times(4095.0)), ProbeName::ScalingWhite, "black is 0 either way");
    assert_eq!(told(&lung(), times(0.25)), ProbeName::ScalingBlack);
    assert_eq!(told(&lung(), as_if(|input| input.mean = 0.45)), ProbeName::ScalingBlack);
    let all = ModelInput { scaling: ValueScaling::Modality, ..lung() };
    // Slope and intercept were forgotten.
    let forgotten = |probe: &Probe, input: &ModelInput| -> Outcome {
        let Content::Grey(file) = &probe.content else { return outcome(probe, input) };
        let stored = StoredValues { least: -2048, greatest: 2047, is_white_low: file.is_white_low };
        let modality = || Ok::<_, Unfit>(Modality::Linear { slope: 1.0, intercept: 0.0 });
        let mapping = GreyMapping::new(stored, input, modality, |_| Err(Unfit::ValueMapping));
        let mapping = mapping.map_err(Unfit::reason)?;
        let number = |value: &i16| standardised(mapping.apply((*value).into()), input);
        Ok(file.frames[0].iter().map(number).collect())
    };
    assert_eq!(told(&all, forgotten), ProbeName::ScalingBlack);
}

#[test]
fn other_frames_polarity_and_colours_are_told_as_such() {
    let middle = ModelInput { frame: FrameChoice::Middle, ..lung() };
    let first = as_if(|input| input.frame = FrameChoice::Number(1));
    assert_eq!(told(&middle, first), ProbeName::Frame);
    assert_eq!(told(&lung(), as_if(|input| input.frame = FrameChoice::Middle)), ProbeName::Frame);
    let refuse = as_if(|input| input.monochrome1 = Monochrome1::Refuse);
    assert_eq!(told(&lung(), refuse), ProbeName::Polarity);
    let colour = ModelInput { channels: 3, ..lung() };
    let pixels = 24 * 32;
    let exchanged = move |probe: &Probe, input: &ModelInput| -> Outcome {
        let mut tensor = outcome(probe, input)?;
        tensor.rotate_left(pixels);
        Ok(tensor)
    };
    assert_eq!(told(&colour, exchanged), ProbeName::Colour);
    // Grey from the mean of colours, where the protocol takes one channel.
    let grey = |probe: &Probe, input: &ModelInput| match probe.content {
        Content::Colour(_) => Ok(vec![0.0; input.values()]),
        _ => outcome(probe, input),
    };
    assert_eq!(told(&lung(), grey), ProbeName::Colour);
    let png = |probe: &Probe, input: &ModelInput| match probe.content {
        Content::Picture(_) => Err(FailureReason::Undecodable),
        _ => outcome(probe, input),
    };
    assert_eq!(told(&lung(), png), ProbeName::Picture);
}

#[test]
fn probes_that_are_left_out_are_told_and_none_at_all_are_no_drift() {
    let (input, expected) = (lung(), Expected::default());
    let all = found(&input, outcome);
    for left_out in ProbeName::PICTURES {
        let others: ProbeDigests = all.all().filter(|(probe, _)| *probe != left_out).collect();
        assert_eq!(expected.check(&input, &others), Err(Drift { probe: left_out }));
        assert_eq!(compare(&all, &others), Err(Drift { probe: left_out }));
    }
    assert_eq!(expected.check(&input, &ProbeDigests::default()), Ok(()));
    let other: ProbeDigests =
        ProbeName::PICTURES.into_iter().map(|probe| (probe, Sha256Digest::of(b"other"))).collect();
    let drift = expected.check(&input, &other).unwrap_err();
    assert_eq!(drift.probe, ProbeName::ScalingBlack, "the first in order is told");
}

#[test]
fn a_large_input_is_tried_in_small_and_late_frames_early() {
    let large = ModelInput { height: 4096, width: 2000, frame: FrameChoice::Number(700), ..lung() };
    let probes = Probes::of(&large);
    assert_eq!((probes.input.height, probes.input.width), (512, 250));
    assert_eq!(probes.input.frame, FrameChoice::Number(3));
    assert_eq!(Expected::default().check(&large, &found(&large, outcome)), Ok(()));
}
