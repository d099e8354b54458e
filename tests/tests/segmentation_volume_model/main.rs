//! Hospitals at which the model itself gives masks of volumes, whole or slab by slab: the report's numbers are those that
//! follow from voxels by definition, whether the reference standard is NIfTI, DICOM SEG or contours, and although the
//! model sees another grid than the images'. A reference on another grid counts as failed, and nothing of a case leaves.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod definition;
#[path = "../../../site-agent/ingest/tests/dicom_file/mod.rs"]
mod dicom_file;
mod files;
#[path = "../../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;

use std::fs;
use std::path::Path;

use fedval_tests::by_definition::{mean_and_sd, step};
use fedval_tests::canary::{Canaries, stands_in};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use serde_json::Value;
use tract_onnx::pb::GraphProto;

use definition::{measured, predicted};
use files::{Kept, write};
use onnx_file::{floats, graph, node, value};

/// Voxels of a file to the left, to the back and to the head, and millimetres from one to the next.
const SIDES: [usize; 3] = [12, 11, 8];
const APART: [f64; 3] = [1.5, 1.2, 3.0];
/// The same of what the model sees: as it is to the left, padded to the back, and cut off at head and feet.
const SEEN: [usize; 3] = [12, 10, 10];
const SEEN_APART: [f64; 3] = [1.5, 2.0, 2.0];
/// Up to which distance surfaces agree, in millimetres.
const TOLERANCE: f64 = 1.5;
/// Distances are cut to this, in millimetres.
const BOUND: f64 = 10.0;
const FRAME: &str = "1.2.826.0.1.3680043.9.7777.41";
/// The name of the region that structure sets outline.
const ROI: &str = "Organ";

/// Voxels by head, then back, then left.
type Mask = Vec<bool>;

/// A patient with a volume, and the mask of the reference standard.
struct Patient {
    measured: Vec<i16>,
    reference: Mask,
    /// Whether the reference's file says another place than the image's.
    is_misplaced: bool,
}

/// Places to the left, to the back and to the head, in C order.
fn places(sides: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    let [width, height, depth] = sides;
    (0..depth).flat_map(move |z| (0..height).flat_map(move |y| (0..width).map(move |x| [x, y, z])))
}

/// Voxels nearer than `radius` millimetres to a point.
fn ball(middle: [f64; 3], radius: f64) -> Mask {
    let is_near = |at: [usize; 3]| {
        let apart = |axis: usize| real(at[axis]) * APART[axis] - middle[axis];
        (0..3).map(|axis| apart(axis).powi(2)).sum::<f64>() < radius * radius
    };
    places(SIDES).map(is_near).collect()
}

/// Patients whose reference lies up to `error` millimetres beside what is bright in the image. Of the first ones nothing
/// is bright in `missed`, then there is no reference in `spurious`, and in `neither` there is none and nothing is bright.
fn patients(
    seed: u64,
    count: usize,
    error: f64,
    [missed, spurious, neither]: [usize; 3],
) -> Vec<Patient> {
    let mut dice = Dice(seed);
    let empty = || vec![false; SIDES.iter().product()];
    (0..count)
        .map(|index| {
            let middle = [7.5 + 1.5 * dice.roll(), 5.5 + dice.roll(), 9.5 + 2.0 * dice.roll()];
            let radius = 4.0 + 1.5 * dice.roll();
            let moved = middle.map(|part| part + error * (2.0 * dice.roll() - 1.0));
            let (bright, reference) =
                (ball(middle, radius), ball(moved, radius + 0.5 * dice.roll()));
            let kinds = [missed, missed + spurious, missed + spurious + neither];
            let (bright, reference) = match kinds.iter().position(|end| index < *end) {
                Some(0) => (empty(), reference),
                Some(1) => (bright, empty()),
                Some(_) => (empty(), empty()),
                None => (bright, reference),
            };
            let mut value = |is_bright: &bool| {
                let least = if *is_bright { 150 } else { -600 };
                least + i16::try_from(dice.below(300)).unwrap()
            };
            let measured = bright.iter().map(&mut value).collect();
            Patient { measured, reference, is_misplaced: false }
        })
        .collect()
}

/// A graph from a volume of these sides to numbers of as many channels as there are weights: of each voxel, from 0 to 1,
/// `weight · voxel + bias`, with a bias for each channel or for each slice.
fn model(sides: [i64; 3], weights: &[f32], biases: &[f32], of_each: [i64; 2]) -> Vec<u8> {
    let channels = i64::try_from(weights.len()).unwrap();
    let [depth, height, width] = sides;
    let [of_channels, of_slices] = of_each;
    let stored = vec![
        floats("weight", &[1, channels, 1, 1, 1], weights),
        floats("bias", &[1, of_channels, of_slices, 1, 1], biases),
    ];
    let nodes = vec![
        node("Mul", &["image", "weight"], "weighed"),
        node("Add", &["weighed", "bias"], "mask"),
    ];
    let shape = |channels| [1, channels, depth, height, width].map(Some);
    onnx_file::bytes(GraphProto {
        input: vec![value("image", &shape(1))],
        output: vec![value("mask", &shape(channels))],
        ..graph(nodes, stored)
    })
}

fn study(id: &str, model: &Path, volume: &str, output: &str) -> String {
    let table = format!(
        "[[endpoints]]\nname = \"misses\"\nmetric = \"dice_misses_zero\"\nlimit = 0.4\n\
         [segmentation]\nlabels = [1]\nborder = \"voxel_border\"\ntolerance_mm = {TOLERANCE:?}\n\
         hd95_bound_mm = {BOUND:?}\nrois = [\"{ROI}\"]\n"
    );
    let mut text = small_site::study(id, model) + &table;
    for (what, with) in [
        ("[model]\n", "preprocessing_probes = \"require\"\ntask = \"segmentation\"\n[model]\n"),
        // A sixth of a hospital's masks lie elsewhere.
        ("[analysis]\n", "[analysis]\nfailure_limit = 0.2\n"),
        ("height = 8", "height = 10"),
        ("width = 8", "width = 12"),
        ("scaling = \"unit\"\n", "scaling = \"window\"\nwindow_low = -1000\nwindow_high = 1000\n"),
        ("resize = \"refuse\"\nmonochrome1 = \"invert\"\n", volume),
        ("positive = [\"1\"]\nnegative = [\"0\"]\n", ""),
        ("name = \"probability\"\nscale = \"probability\"\n", output),
        ("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", ""),
        ("metric = \"auroc\"\nlimit = 0.8", "metric = \"dice\"\nlimit = 0.5"),
    ] {
        assert!(text.contains(what), "{what}");
        text = text.replacen(what, with, 1);
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "voxels and patients")]
const fn real(of: usize) -> f64 {
    of as f64
}

type Hospital = (&'static str, Kept, Vec<Patient>);

fn hospitals() -> [Hospital; 3] {
    let mut north = patients(1, 80, 1.0, [4, 3, 12]);
    // Whose masks were made on another grid.
    let mut misplaced = patients(4, 14, 1.0, [0, 0, 0]);
    for patient in &mut misplaced {
        patient.is_misplaced = true;
    }
    north.extend(misplaced);
    [
        ("north", Kept::Nifti, north),
        ("south", Kept::Contours, patients(2, 60, 2.5, [2, 0, 0])),
        ("west", Kept::Segments, patients(3, 60, 1.5, [0, 0, 0])),
    ]
}

/// A round over `hospitals`, and its report.
fn round(consortium: &Consortium, text: &str, hospitals: &[Hospital]) -> Value {
    let mut sites: Vec<Site> = hospitals
        .iter()
        .map(|(name, kept, patients)| {
            let data = consortium.path(&format!("data-{name}"));
            write(&data, patients, *kept);
            let site = consortium.enrol(name, &data);
            site.configure_also("[data_sources.columns]\nreference_mask = \"truth\"\n");
            site
        })
        .collect();
    let (_, report) = consortium.complete("volumes", text, &mut sites);
    for (site, (_, _, patients)) in sites.iter().zip(hospitals) {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", site.name)));
        assert!(canaries.len() >= 3 * patients.len(), "case, patient and image of every line");
        let outgoing = site.outgoing();
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", site.name);
        for word in ["VOLUMEX", "TRUTHX", FRAME] {
            assert!(!stands_in(word, &outgoing), "{}: {word} left", site.name);
        }
        let job = report["round"]["id"].as_str().unwrap();
        let shown = site.agent(&["preview", job]);
        assert_eq!(shown.code, 0, "{}", shown.err);
        assert!(shown.out.contains("dice: mean"), "{}", shown.out);
    }
    report
}

/// Means with their errors, within the rounding of mean and spread.
fn check(report: &Value, (name, _, patients): &Hospital, of: impl Fn(&Patient) -> Mask) {
    let site = site(report, name);
    assert_eq!(site["status"], "released", "{site}");
    let placed = patients.iter().filter(|patient| !patient.is_misplaced);
    let measured: Vec<[f64; 3]> =
        placed.filter_map(|patient| measured(&patient.reference, &of(patient))).collect();
    assert_eq!(site["patients"], measured.len(), "{name}: each but those on another grid");
    for (place, (id, room)) in
        [("dice", 1.0), ("hd95", BOUND), ("nsd", 1.0)].into_iter().enumerate()
    {
        let values: Vec<f64> = measured.iter().map(|of| of[place]).collect();
        let ((mean, sd), step) = (mean_and_sd(&values), step(room, values.len(), 0.001));
        let metrics = &site["metrics"];
        near(name, number(metrics, &format!("/{id}/estimate")), mean, step / 2.0 + 1e-6);
        let se = (sd * sd / real(values.len()) + step * step / 12.0).sqrt();
        near(name, number(metrics, &format!("/{id}/se")), se, 0.06 * se);
    }
}

/// How far above one half a voxel is, as the models weigh it.
fn margin(shown: f64) -> f64 {
    20.0_f64.mul_add(shown, -10.0)
}

#[test]
fn masks_of_whole_volumes_come_back_to_the_images_own_voxels() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    // The structure's channel is above the other where a voxel is above one half.
    fs::write(&file, model([10, 10, 12], &[-10.0, 10.0], &[5.0, -5.0], [2, 1])).unwrap();
    let hospitals = hospitals();
    let volume = "[model.input.volume]\ndepth = 10\nspacing_mm = [2.0, 2.0, 1.5]\n\
                  orientation = \"PSR\"\n";
    let output = "name = \"mask\"\nform = \"mask\"\nrule = \"highest\"\nchannels = 2\n\
                  positive_index = 1\n";
    let report = round(&consortium, &study("volumes", &file, volume, output), &hospitals);
    for hospital in &hospitals {
        check(&report, hospital, |patient| predicted(patient, |shown, _| margin(shown)));
    }
    let empty = |name: &str| site(&report, name)["empty_masks"].clone();
    let told = serde_json::json!({
        "missed": 4, "without_structure": { "neither": 12, "spurious": 3 }
    });
    assert_eq!(empty("north"), told);
    assert_eq!(empty("south"), serde_json::json!({ "missed": 2 }));
    assert_eq!(report["segmentation"]["measured"], 61 + 58 + 60);
}

#[test]
fn masks_of_slabs_are_put_together_and_their_common_slices_averaged() {
    /// What is added in each slice of a slab.
    const TILT: [f32; 4] = [-1.0, -2.5, 1.5, 2.0];
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    let biases = TILT.map(|tilt| tilt - 10.0);
    fs::write(&file, model([4, 10, 12], &[20.0], &biases, [1, 4])).unwrap();
    let hospitals = hospitals();
    let volume = "[model.input.volume]\ndepth = 10\nspacing_mm = [2.0, 2.0, 1.5]\n\
                  orientation = \"SPL\"\nslab = { depth = 4, overlap = 1, pooling = \"mean\" }\n";
    let output = "name = \"mask\"\nscale = \"logit\"\nform = \"mask\"\nrule = \"threshold\"\n\
                  threshold = 0.5\n";
    let report = round(&consortium, &study("volumes", &file, volume, output), &hospitals);
    let in_slabs = |shown: f64, slice: usize| {
        // Slabs begin at slices 0, 3 and 6.
        let places = [0, 3, 6].into_iter().filter_map(|start| slice.checked_sub(start));
        let tilts: Vec<f64> =
            places.filter_map(|place| TILT.get(place)).map(|tilt| f64::from(*tilt)).collect();
        margin(shown) + tilts.iter().sum::<f64>() / real(tilts.len())
    };
    for hospital in &hospitals {
        check(&report, hospital, |patient| predicted(patient, in_slabs));
    }
    // The slabs in another order would be another study.
    let turned = |shown: f64, slice: usize| in_slabs(shown, 9 - slice);
    let differs = |patient: &Patient| predicted(patient, in_slabs) != predicted(patient, turned);
    assert!(hospitals[2].2.iter().filter(|patient| differs(patient)).count() > 30);
}
