//! The digests of four inputs are those that another program finds (`oracle.py`), and stay so: packages that were
//! signed with them verify as long as they do.

use fedval_preprocess::probe::Probes;
use fedval_study::ProbeName;
use fedval_study::protocol::{FrameChoice, Layout, ModelInput, Monochrome1, Resize, ValueScaling};

/// Lines of input, probe and digest.
const EXPECTED: &str = include_str!("expected.txt");

fn inputs() -> [(&'static str, ModelInput); 4] {
    let lung = ModelInput {
        name: "image".to_owned(),
        layout: Layout::Nchw,
        height: 12,
        width: 10,
        channels: 1,
        scaling: ValueScaling::Window { low: -1350.0, high: 150.0 },
        mean: 0.5,
        standard_deviation: 0.25,
        resize: Resize::Bilinear,
        monochrome1: Monochrome1::Invert,
        frame: FrameChoice::Only,
        volume: None,
    };
    let colour = ModelInput {
        layout: Layout::Nhwc,
        height: 9,
        width: 14,
        channels: 3,
        scaling: ValueScaling::Unit,
        mean: 0.45,
        standard_deviation: 0.225,
        resize: Resize::Letterbox,
        frame: FrameChoice::Middle,
        ..lung.clone()
    };
    let raw = ModelInput {
        height: 8,
        width: 8,
        scaling: ValueScaling::Modality,
        mean: 100.0,
        standard_deviation: 50.0,
        resize: Resize::Refuse,
        frame: FrameChoice::Number(3),
        ..lung.clone()
    };
    let shown = ModelInput {
        height: 11,
        width: 7,
        channels: 3,
        scaling: ValueScaling::Voi,
        mean: 0.0,
        standard_deviation: 1.0,
        ..lung.clone()
    };
    [("lung", lung), ("colour", colour), ("raw", raw), ("shown", shown)]
}

#[test]
fn digests_are_those_of_another_program() {
    let mut lines = EXPECTED.lines();
    for (title, input) in inputs() {
        let digests = Probes::of(&input).expected();
        for probe in ProbeName::PICTURES {
            let found = format!("{title} {probe} {}", digests.get(probe).unwrap());
            assert_eq!(found, lines.next().unwrap());
        }
    }
    assert_eq!(lines.next(), None);
}
