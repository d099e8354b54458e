//! Hospitals at which the model itself gives masks: the report's numbers are those that follow from pixels by
//! definition, also where the model saw a smaller picture in a letterbox, and nothing of a case leaves.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::by_definition::{mean_and_sd, step};
use fedval_tests::canary::{Canaries, stands_in};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use image::{GrayImage, Luma};
use onnx_file::{floats, graph, node, value};
use serde_json::Value;
use tract_onnx::pb::GraphProto;

/// Rows and columns of an image.
const IMAGE: [usize; 2] = [24, 36];
/// Rows and columns of what the second model sees: the image lies in the middle of it, as wide as it is.
const LETTERBOX: [usize; 2] = [20, 20];
/// Millimetres from one pixel to the next.
const SPACING: f64 = 0.8;
/// Up to which distance contours agree, in millimetres.
const TOLERANCE: f64 = 1.0;
/// Distances are cut to this, in millimetres.
const BOUND: f64 = 8.0;

type Mask = Vec<bool>;

/// A patient with an image, and the mask of the reference standard.
struct Patient {
    grey: Vec<u8>,
    reference: Mask,
}

fn places() -> impl Iterator<Item = [usize; 2]> {
    let [rows, columns] = IMAGE;
    (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]))
}

fn ellipse(middle: [f64; 2], radii: [f64; 2]) -> Mask {
    let part =
        |at: [usize; 2], axis: usize| ((real(at[axis]) - middle[axis]) / radii[axis]).powi(2);
    places().map(|at| part(at, 0) + part(at, 1) < 1.0).collect()
}

/// Patients whose reference lies up to `error` pixels beside what is bright in the image. Of the first ones nothing is
/// bright in `missed`, then there is no reference in `spurious`, and in `neither` there is none and nothing is bright.
fn patients(
    seed: u64,
    count: usize,
    error: f64,
    [missed, spurious, neither]: [usize; 3],
) -> Vec<Patient> {
    let mut dice = Dice(seed);
    let empty = || vec![false; IMAGE.iter().product()];
    (0..count)
        .map(|index| {
            let middle = [dice.rounded(10.0, 13.0, 100.0), dice.rounded(14.0, 21.0, 100.0)];
            let radii = [dice.rounded(4.0, 6.0, 100.0), dice.rounded(5.0, 8.0, 100.0)];
            let moved = middle.map(|part| part + error * (2.0 * dice.roll() - 1.0));
            let wider = radii.map(|radius| radius + 0.5 + 0.5 * error * dice.roll());
            let (bright, reference) = (ellipse(middle, radii), ellipse(moved, wider));
            let kinds = [missed, missed + spurious, missed + spurious + neither];
            let (bright, reference) = match kinds.iter().position(|end| index < *end) {
                Some(0) => (empty(), reference),
                Some(1) => (bright, empty()),
                Some(_) => (empty(), empty()),
                None => (bright, reference),
            };
            let mut grey = |is_bright: &bool| {
                let least = if *is_bright { 170 } else { 20 };
                u8::try_from(least + dice.below(70)).unwrap()
            };
            Patient { grey: bright.iter().map(&mut grey).collect(), reference }
        })
        .collect()
}

fn picture(grey: &[u8], path: &Path) {
    let [rows, columns] = IMAGE.map(|side| u32::try_from(side).unwrap());
    let mut picture = GrayImage::new(columns, rows);
    for (at, grey) in picture.pixels_mut().zip(grey) {
        *at = Luma([*grey]);
    }
    picture.save(path).unwrap();
}

fn write(folder: &Path, patients: &[Patient]) {
    fs::create_dir_all(folder).unwrap();
    let mut table = "case_id,patient_id,image,truth\n".to_owned();
    for (index, patient) in patients.iter().enumerate() {
        let [image, truth] = ["IMAGEX", "TRUTHX"].map(|what| format!("{what}{index}.png"));
        picture(&patient.grey, &folder.join(&image));
        let truth_of = |is_in: &bool| u8::from(*is_in);
        let reference: Vec<u8> = patient.reference.iter().map(truth_of).collect();
        picture(&reference, &folder.join(&truth));
        writeln!(table, "CASEX{index},PATIENTX{index},{image},{truth}").unwrap();
    }
    fs::write(folder.join("manifest.csv"), table).unwrap();
}

/// A graph from an image of these sides to numbers of as many channels as there are weights: of each pixel, from 0 to 1,
/// `weight · pixel + bias`.
fn model([rows, columns]: [usize; 2], weights: &[f32], biases: &[f32]) -> Vec<u8> {
    let [rows, columns, channels] =
        [rows, columns, weights.len()].map(|side| i64::try_from(side).unwrap());
    let stored =
        vec![floats("weight", &[channels, 1, 1, 1], weights), floats("bias", &[channels], biases)];
    let sides = |channels| [None, Some(channels), Some(rows), Some(columns)];
    onnx_file::bytes(GraphProto {
        input: vec![value("image", &sides(1))],
        output: vec![value("mask", &sides(channels))],
        ..graph(vec![node("Conv", &["image", "weight", "bias"], "mask")], stored)
    })
}

fn study(id: &str, model: &Path, [rows, columns]: [usize; 2], output: &str) -> String {
    let table = format!(
        "[[endpoints]]\nname = \"misses\"\nmetric = \"dice_misses_zero\"\nlimit = 0.5\n\
         [segmentation]\nlabels = [1]\nborder = \"voxel_border\"\ntolerance_mm = {TOLERANCE:?}\n\
         hd95_bound_mm = {BOUND:?}\npixel_spacing_mm = {SPACING:?}\n"
    );
    small_site::study(id, model)
        .replace("[model]\n", "task = \"segmentation\"\n[model]\n")
        .replace("height = 8", &format!("height = {rows}"))
        .replace("width = 8", &format!("width = {columns}"))
        .replace("positive = [\"1\"]\nnegative = [\"0\"]\n", "")
        .replace("name = \"probability\"\nscale = \"probability\"\n", output)
        .replace("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", "")
        .replace("metric = \"auroc\"\nlimit = 0.8", "metric = \"dice\"\nlimit = 0.6")
        + &table
}

/// The mask of a model that sees the image as it is.
fn seen_whole(patient: &Patient) -> Mask {
    patient.grey.iter().map(|grey| margin(f64::from(*grey) / 255.0) >= 0.0).collect()
}

/// The mask of a model that sees the image in the middle of a letterbox: its numbers come back to the image's pixels.
fn seen_in_a_letterbox(patient: &Patient) -> Mask {
    // 24 rows of 36 columns are 13⅓ of 20.
    let shown = [13, 20];
    let pixels: Vec<f64> = patient.grey.iter().map(|grey| f64::from(*grey) / 255.0).collect();
    let numbers: Vec<f64> = stretched(&pixels, IMAGE, shown).into_iter().map(margin).collect();
    stretched(&numbers, shown, IMAGE).into_iter().map(|number| number > 0.0).collect()
}

/// How far above one half a pixel is, as both models weigh it.
fn margin(pixel: f64) -> f64 {
    20.0_f64.mul_add(pixel, -10.0)
}

/// Between the four nearest pixels, whose middles lie half a pixel from their edges; beyond the outermost middles nothing
/// changes.
fn stretched(values: &[f64], from: [usize; 2], to: [usize; 2]) -> Vec<f64> {
    let at = |place: usize, axis: usize| {
        let last = real(from[axis] - 1);
        let at = ((real(place) + 0.5) * real(from[axis]) / real(to[axis]) - 0.5).clamp(0.0, last);
        let low = whole(at);
        (low, (low + 1).min(from[axis] - 1), at - real(low))
    };
    let mut found = Vec::new();
    for row in 0..to[0] {
        for column in 0..to[1] {
            let ((up, down, below), (left, right, beside)) = (at(row, 0), at(column, 1));
            let of = |row: usize| {
                let [one, other] = [left, right].map(|column| values[row * from[1] + column]);
                one + (other - one) * beside
            };
            found.push(of(up) + (of(down) - of(up)) * below);
        }
    }
    found
}

/// Dice, the 95th percentile of distances and normalised surface Dice; `None` where a mask is empty.
fn measured(reference: &Mask, predicted: &Mask) -> Option<[f64; 3]> {
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

/// Pixels with a neighbour across an edge that is not in the mask.
fn border(mask: &Mask) -> Vec<[usize; 2]> {
    let is_in = |[row, column]: [usize; 2]| {
        row < IMAGE[0] && column < IMAGE[1] && mask[row * IMAGE[1] + column]
    };
    let is_open = |[row, column]: [usize; 2]| {
        let around = [
            [row.wrapping_sub(1), column],
            [row + 1, column],
            [row, column.wrapping_sub(1)],
            [row, column + 1],
        ];
        !around.into_iter().all(is_in)
    };
    places().filter(|at| is_in(*at) && is_open(*at)).collect()
}

/// Millimetres from each of these to the nearest of those, sorted.
fn nearest(from: &[[usize; 2]], to: &[[usize; 2]]) -> Vec<f64> {
    let distance = |one: &[usize; 2], other: &[usize; 2]| {
        let apart = |axis: usize| real(one[axis].abs_diff(other[axis])) * SPACING;
        apart(0).hypot(apart(1))
    };
    let least =
        |at: &[usize; 2]| to.iter().map(|of| distance(at, of)).fold(f64::INFINITY, f64::min);
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

#[expect(clippy::cast_precision_loss, reason = "pixels and patients")]
const fn real(of: usize) -> f64 {
    of as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
fn whole(of: f64) -> usize {
    of.floor() as usize
}

/// A round over `hospitals`, and its report.
fn round(consortium: &Consortium, text: &str, hospitals: &[(&str, Vec<Patient>)]) -> Value {
    let mut sites: Vec<Site> = hospitals
        .iter()
        .map(|(name, patients)| {
            let data = consortium.path(&format!("data-{name}"));
            write(&data, patients);
            let site = consortium.enrol(name, &data);
            site.configure_also("[data_sources.columns]\nreference_mask = \"truth\"\n");
            site
        })
        .collect();
    let (_, report) = consortium.complete("masks", text, &mut sites);
    for (site, (_, patients)) in sites.iter().zip(hospitals) {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", site.name)));
        assert!(canaries.len() >= 3 * patients.len(), "case, patient and image of every line");
        let outgoing = site.outgoing();
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", site.name);
        for path in ["IMAGEX", "TRUTHX"] {
            assert!(!stands_in(path, &outgoing), "{}: a path left", site.name);
        }
        let job = report["round"]["id"].as_str().unwrap();
        let shown = site.agent(&["preview", job]);
        assert_eq!(shown.code, 0, "{}", shown.err);
        assert!(shown.out.contains("dice: mean"), "{}", shown.out);
    }
    report
}

/// Means with their errors, within the rounding of mean and spread.
fn check(report: &Value, name: &str, patients: &[Patient], predicted: impl Fn(&Patient) -> Mask) {
    let site = site(report, name);
    assert_eq!(site["status"], "released", "{site}");
    let of = |patient: &Patient| measured(&patient.reference, &predicted(patient));
    let measured: Vec<[f64; 3]> = patients.iter().filter_map(of).collect();
    assert_eq!(site["patients"], measured.len(), "{name}");
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

fn hospitals() -> [(&'static str, Vec<Patient>); 3] {
    [
        ("north", patients(1, 80, 1.5, [4, 3, 12])),
        ("south", patients(2, 60, 3.0, [2, 0, 0])),
        ("west", patients(3, 60, 2.0, [0, 0, 0])),
    ]
}

#[test]
fn masks_that_the_model_gives_compare_as_their_pixels_do() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    fs::write(&file, model(IMAGE, &[20.0], &[-10.0])).unwrap();
    let hospitals = hospitals();
    let output = "name = \"mask\"\nscale = \"logit\"\nform = \"mask\"\nrule = \"threshold\"\n\
                  threshold = 0.5\n";
    let report = round(&consortium, &study("masks", &file, IMAGE, output), &hospitals);
    for (name, patients) in &hospitals {
        check(&report, name, patients, seen_whole);
    }
    // Three and twelve patients without the structure are told of; nobody is fewer than k.
    let empty = |name: &str| site(&report, name)["empty_masks"].clone();
    let told = serde_json::json!({
        "missed": 4, "without_structure": { "neither": 12, "spurious": 3 }
    });
    assert_eq!(empty("north"), told);
    assert_eq!(empty("south"), serde_json::json!({ "missed": 2 }));
    assert_eq!(report["segmentation"]["measured"], 61 + 58 + 60);
}

#[test]
fn a_mask_of_a_letterbox_comes_back_to_the_images_own_pixels() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    // The structure's channel is above the other where a pixel is above one half.
    fs::write(&file, model(LETTERBOX, &[-10.0, 10.0], &[5.0, -5.0])).unwrap();
    let hospitals = hospitals();
    let output = "name = \"mask\"\nform = \"mask\"\nrule = \"highest\"\nchannels = 2\n\
                  positive_index = 1\n";
    let text = study("masks", &file, LETTERBOX, output)
        .replace("resize = \"refuse\"", "resize = \"letterbox\"");
    let report = round(&consortium, &text, &hospitals);
    for (name, patients) in &hospitals {
        check(&report, name, patients, seen_in_a_letterbox);
    }
}
