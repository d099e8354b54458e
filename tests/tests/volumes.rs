//! Hospitals whose images are volumes: one keeps them as NIfTI, the other as DICOM slices in a folder. The same patients
//! come to the same numbers in both, which are those of their definition, and no word of a header leaves.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../site-agent/ingest/tests/dicom_file/mod.rs"]
mod dicom_file;
#[path = "../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use dicom_file::{EXPLICIT, element_bytes, header, padded};
use fedval_tests::canary::{Canaries, stands_in};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use serde_json::Value;
use tract_onnx::pb::GraphProto;

/// Patients of a hospital, half of them with the condition.
const PATIENTS: usize = 120;
/// Voxels of a file to the left, to the back and to the head, and how far they are apart in millimetres.
const VOXELS: [i16; 3] = [8, 8, 6];
const APART: [f64; 3] = [2.0, 2.0, 4.0];
/// The same of the tensor: depth, height, width.
const TENSOR: [u8; 3] = [6, 8, 8];
const SPACING: [f64; 3] = [3.0, 1.5, 1.5];
const SERIES: &str = "1.2.826.0.1.3680043.9.7777.31";

/// A volume whose values grow evenly along each axis: between two voxels it is known without a filter.
#[derive(Debug, Clone, Copy)]
struct Volume {
    is_positive: bool,
    /// Of the first voxel.
    base: i16,
    /// From voxel to voxel to the left, to the back and to the head.
    growth: [i16; 3],
}

impl Volume {
    fn at(self, place: [i16; 3]) -> i16 {
        (0..3).fold(self.base, |value, axis| value + self.growth[axis] * place[axis])
    }

    /// What is measured so many millimetres to the left, back and head of the middle.
    fn measured(self, way: [f64; 3]) -> f64 {
        (0..3).fold(f64::from(self.base), |value, axis| {
            let voxel = f64::from(VOXELS[axis] - 1) / 2.0 + way[axis] / APART[axis];
            value + f64::from(self.growth[axis]) * voxel
        })
    }

    /// The model's log odds of slices of the tensor, by the definition of both.
    fn logit(self, slices: std::ops::Range<u8>) -> f64 {
        let middle = TENSOR.map(|side| f64::from(side - 1) / 2.0);
        let first = slices.start;
        let (mut sum, mut count) = (0.0, 0.0);
        for depth in slices {
            for row in 0..TENSOR[1] {
                for column in 0..TENSOR[2] {
                    let at = [depth, row, column].map(f64::from);
                    let [head, back, left] =
                        [0, 1, 2].map(|axis: usize| (at[axis] - middle[axis]) * SPACING[axis]);
                    let shown = (self.measured([left, back, head]) + 1000.0) / 2000.0;
                    sum += shown.clamp(0.0, 1.0) * f64::from(weight([depth - first, row, column]));
                    count += 1.0;
                }
            }
        }
        sum / count + f64::from(BIAS)
    }
}

/// Before the curve.
const BIAS: f32 = -3.6;

/// Of a voxel of what the model sees: another one for each turn and mirror.
fn weight([depth, row, column]: [u8; 3]) -> f32 {
    let [depth, row, column] = [depth, row, column].map(f32::from);
    8.0 + 2.4 * (depth - 2.5) + 0.9 * (row - 3.5) - 0.6 * (column - 3.5)
}

#[expect(clippy::cast_possible_truncation, reason = "small numbers")]
fn whole(value: f64) -> i16 {
    value.round() as i16
}

fn volumes(count: usize) -> Vec<Volume> {
    let mut dice = Dice(11);
    (0..count)
        .map(|index| {
            let is_positive = index % 2 == 1;
            let mut spread = |width: f64| width * (dice.roll() - 0.5);
            let of_condition = if is_positive { 25.0 } else { -25.0 };
            let head = of_condition + spread(120.0);
            let growth = [whole(spread(40.0)), whole(spread(40.0)), whole(head)];
            let middle = -100.0 + spread(30.0);
            let beside = (0..3).fold(0.0, |sum, axis| {
                sum + f64::from(growth[axis]) * f64::from(VOXELS[axis] - 1) / 2.0
            });
            Volume { is_positive, base: whole(middle - beside), growth }
        })
        .collect()
}

/// The share of pairs in which the patient with the condition has the higher score.
fn auroc(scores: &[(bool, f64)]) -> f64 {
    let of = |is: bool| scores.iter().filter(move |(positive, _)| *positive == is).map(|(_, s)| *s);
    let (mut won, mut pairs) = (0.0, 0.0);
    for high in of(true) {
        for low in of(false) {
            pairs += 1.0;
            won += if high > low { 1.0 } else { 0.0 };
        }
    }
    won / pairs
}

/// NIfTI as most programs write it: to the right, to the front, to the head.
fn nifti(volume: Volume) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    for (place, length) in [3, VOXELS[0], VOXELS[1], VOXELS[2], 1, 1, 1, 1].into_iter().enumerate()
    {
        put(40 + 2 * place, &length.to_le_bytes());
    }
    put(70, &4_i16.to_le_bytes());
    put(72, &16_i16.to_le_bytes());
    put(108, &352_f32.to_le_bytes());
    put(112, &1_f32.to_le_bytes());
    put(123, &[2]);
    put(148, b"ZZCANARY of a scan");
    put(254, &1_i16.to_le_bytes());
    for (at, step) in [(280, 2_f32), (300, 2.0), (320, 4.0)] {
        put(at, &step.to_le_bytes());
    }
    put(344, b"n+1\0");
    for head in 0..VOXELS[2] {
        for front in 0..VOXELS[1] {
            for right in 0..VOXELS[0] {
                let value = volume.at([VOXELS[0] - 1 - right, VOXELS[1] - 1 - front, head]);
                bytes.extend(value.to_le_bytes());
            }
        }
    }
    bytes
}

/// One axial slice. What is stored is 1024 more than what was measured. With a tilted gantry each lies half a millimetre
/// further to the back than the one below it.
fn slice(volume: Volume, head: i16, is_tilted: bool) -> Vec<u8> {
    let mut file = header(EXPLICIT);
    let mut put = |group, element, form: &str, value: &[u8]| {
        file.extend(element_bytes(group, element, form, value, true));
    };
    let back = if is_tilted { 35.0 + 0.5 * f64::from(head) } else { 35.0 };
    let position = format!("-20\\{back}\\{}", 4 * i32::from(head) - 700);
    let number = (VOXELS[2] - head).to_string();
    for (group, element, form, text) in [
        (0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        (0x0010, 0x0010, "PN", "ZZCANARY^PATIENT"),
        (0x0020, 0x000e, "UI", SERIES),
        (0x0020, 0x0013, "IS", number.as_str()),
        (0x0020, 0x0032, "DS", position.as_str()),
        (0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"),
        (0x0020, 0x0052, "UI", "1.2.3.4.5"),
        (0x0028, 0x0004, "CS", "MONOCHROME2"),
        (0x0028, 0x0030, "DS", "2\\2"),
        (0x0028, 0x1052, "DS", "-1024"),
        (0x0028, 0x1053, "DS", "1"),
    ] {
        put(group, element, form, &padded(text));
    }
    for (element, value) in [
        (0x0002, 1_u16),
        (0x0010, VOXELS[1].cast_unsigned()),
        (0x0011, VOXELS[0].cast_unsigned()),
        (0x0100, 16),
        (0x0101, 16),
        (0x0102, 15),
        (0x0103, 1),
    ] {
        put(0x0028, element, "US", &value.to_le_bytes());
    }
    let places = (0..VOXELS[1]).flat_map(|back| (0..VOXELS[0]).map(move |left| [left, back, head]));
    // As far from the middle of all slices, in eighths of a voxel.
    let eighths = if is_tilted { 2 * head - (VOXELS[2] - 1) } else { 0 };
    let beside = volume.growth[1] * eighths / 8;
    let pixels: Vec<u8> =
        places.flat_map(|place| (volume.at(place) + beside + 1024).to_le_bytes()).collect();
    put(0x7fe0, 0x0010, "OW", &pixels);
    file
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Nifti,
    Slices,
    TiltedSlices,
}

fn write(folder: &Path, volumes: &[Volume], kept: Kept) {
    fs::create_dir_all(folder).expect("a writable folder");
    let mut manifest = "case_id,patient_id,image,label\n".to_owned();
    for (index, volume) in volumes.iter().enumerate() {
        let image = format!("VOLUMEX{index}");
        let path = folder.join(&image);
        match kept {
            Kept::Nifti => fs::write(path, nifti(*volume)).expect("a writable folder"),
            Kept::Slices | Kept::TiltedSlices => {
                fs::create_dir(&path).expect("a writable folder");
                for head in 0..VOXELS[2] {
                    // Names count in another order than the slices lie.
                    let name = format!("IM{}", (head * 5 + 2) % VOXELS[2]);
                    let slice = slice(*volume, head, kept == Kept::TiltedSlices);
                    fs::write(path.join(name), slice).expect("a writable folder");
                }
            }
        }
        let label = u8::from(volume.is_positive);
        writeln!(manifest, "CASEX{index},PATIENTX{index},{image},{label}").expect("text");
    }
    fs::write(folder.join("manifest.csv"), manifest).expect("a writable folder");
}

/// A model of so many slices: the mean of the weighted voxels, and a curve.
fn model(depth: u8) -> Vec<u8> {
    let sides = [depth, TENSOR[1], TENSOR[2]].map(i64::from);
    let [depth, height, width] = sides;
    let mut weights = Vec::new();
    for slice in 0..u8::try_from(depth).expect("few") {
        for row in 0..TENSOR[1] {
            weights.extend((0..TENSOR[2]).map(|column| weight([slice, row, column])));
        }
    }
    let shape = [1, 1, depth, height, width];
    let nodes = vec![
        onnx_file::node("Mul", &["image", "weight"], "weighted"),
        onnx_file::node("GlobalAveragePool", &["weighted"], "pooled"),
        onnx_file::node("Flatten", &["pooled"], "flat"),
        onnx_file::node("Add", &["flat", "bias"], "logit"),
        onnx_file::node("Sigmoid", &["logit"], "score"),
    ];
    let stored = vec![
        onnx_file::floats("weight", &shape, &weights),
        onnx_file::floats("bias", &[1, 1], &[BIAS]),
    ];
    let input = vec![onnx_file::value("image", &shape.map(Some))];
    onnx_file::bytes(GraphProto { input, ..onnx_file::graph(nodes, stored) })
}

fn study(model: &Path, slab: &str) -> String {
    let mut text = small_site::study("volumes", model);
    for (what, with) in [
        ("name = \"probability\"", "name = \"score\"".to_owned()),
        (
            "scaling = \"unit\"\n",
            "scaling = \"window\"\nwindow_low = -1000\nwindow_high = 1000\n".to_owned(),
        ),
        (
            "resize = \"refuse\"\nmonochrome1 = \"invert\"\n",
            format!(
                "[model.input.volume]\ndepth = 6\nspacing_mm = [3.0, 1.5, 1.5]\n\
                 orientation = \"SPL\"\n{slab}\n"
            ),
        ),
        ("title = ", "preprocessing_probes = \"require\"\ntitle = ".to_owned()),
    ] {
        assert!(text.contains(what), "{what}");
        text = text.replacen(what, &with, 1);
    }
    text
}

/// A round of two hospitals with the same patients, and its report.
fn round(consortium: &Consortium, text: &str, volumes: &[Volume]) -> Value {
    round_of([("nifti", Kept::Nifti), ("slices", Kept::Slices)], consortium, text, volumes)
}

fn round_of(
    hospitals: [(&str, Kept); 2],
    consortium: &Consortium,
    text: &str,
    volumes: &[Volume],
) -> Value {
    let mut sites: Vec<Site> = hospitals
        .into_iter()
        .map(|(name, kept)| {
            let data = consortium.path(&format!("data-{name}"));
            write(&data, volumes, kept);
            consortium.enrol(name, &data)
        })
        .collect();
    let (_, report) = consortium.complete("volumes", text, &mut sites);
    for hospital in &sites {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", hospital.name)));
        let outgoing = hospital.outgoing();
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", hospital.name);
        assert!(!stands_in(SERIES, &outgoing), "{}", hospital.name);
    }
    report
}

fn check(report: &Value, scores: &[(bool, f64)]) {
    let expected = auroc(scores);
    assert!(
        (0.6..0.95).contains(&expected),
        "a model that is neither blind nor perfect: {expected}"
    );
    for name in ["nifti", "slices"] {
        let found = site(report, name);
        assert_eq!(found["n"], PATIENTS, "{name}: every volume was read");
        near(name, number(found, "/metrics/auroc/estimate"), expected, 0.02);
    }
    let metrics = |name| &site(report, name)["metrics"];
    assert_eq!(metrics("nifti"), metrics("slices"), "the same patients in another format");
}

#[test]
fn volumes_in_two_formats_come_to_the_numbers_of_their_definition() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    fs::write(&file, model(6)).expect("a writable folder");
    let volumes = volumes(PATIENTS);
    let report = round(&consortium, &study(&file, ""), &volumes);
    let of = |volume: &Volume| (volume.is_positive, volume.logit(0..6));
    let scores: Vec<_> = volumes.iter().map(of).collect();
    check(&report, &scores);
    // Slices in the other order would be another study.
    let turned = |volume: &Volume| {
        let [left, back, head] = volume.growth;
        let base = volume.base + head * (VOXELS[2] - 1);
        let turned = Volume { base, growth: [left, back, -head], ..*volume };
        (volume.is_positive, turned.logit(0..6))
    };
    let turned: Vec<_> = volumes.iter().map(turned).collect();
    assert!((auroc(&turned) - auroc(&scores)).abs() > 0.1);
}

#[test]
fn slabs_of_a_volume_are_scored_one_by_one_and_pooled() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    fs::write(&file, model(2)).expect("a writable folder");
    let volumes = volumes(PATIENTS);
    let slab = "slab = { depth = 2, pooling = \"max\" }";
    let report = round(&consortium, &study(&file, slab), &volumes);
    let of = |volume: &Volume| {
        let slabs = [0..2, 2..4, 4..6].map(|slices| volume.logit(slices));
        (volume.is_positive, slabs.into_iter().fold(f64::NEG_INFINITY, f64::max))
    };
    let scores: Vec<_> = volumes.iter().map(of).collect();
    for name in ["nifti", "slices"] {
        let found = number(site(&report, name), "/metrics/auroc/estimate");
        near(name, found, auroc(&scores), 0.02);
    }
    assert_eq!(site(&report, "nifti")["metrics"], site(&report, "slices")["metrics"]);
}

#[test]
fn a_tilted_gantry_changes_no_number_where_the_protocol_takes_it() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    fs::write(&file, model(6)).expect("a writable folder");
    // So that what lies an eighth of a voxel further is a whole number.
    let even = |volume: Volume| {
        let [left, back, head] = volume.growth;
        Volume { growth: [left, back / 8 * 8, head], ..volume }
    };
    let volumes: Vec<Volume> = volumes(PATIENTS).into_iter().map(even).collect();
    let text = study(&file, "gantry_tilt = \"resample\"");
    let hospitals = [("upright", Kept::Slices), ("tilted", Kept::TiltedSlices)];
    let report = round_of(hospitals, &consortium, &text, &volumes);
    let scores: Vec<_> =
        volumes.iter().map(|volume| (volume.is_positive, volume.logit(0..6))).collect();
    let found = ["upright", "tilted"].map(|name| {
        let found = site(&report, name);
        assert_eq!(found["n"], PATIENTS, "{name}: every volume was read");
        number(found, "/metrics/auroc/estimate")
    });
    near("upright", found[0], auroc(&scores), 0.02);
    near("tilted", found[1], found[0], 1e-3);
}

#[test]
fn a_series_with_a_gap_is_named_before_the_model_sees_any() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    fs::write(&file, model(6)).expect("a writable folder");
    let data = consortium.path("data");
    write(&data, &volumes(10), Kept::Slices);
    // Of the third case, the slice that is next to the lowest.
    fs::remove_file(data.join("VOLUMEX2").join(format!("IM{}", (5 + 2) % VOXELS[2])))
        .expect("it is there");
    let mut hospital = consortium.enrol("hospital", &data);
    let _ = consortium.lock("volumes", &study(&file, ""));
    hospital.sign_policy(&[]);
    hospital.run();
    consortium.fedval(&["study", "dispatch", "volumes", "--json"]).json();
    hospital.until_job_is("offered");
    let answer = hospital.agent(&["check", "--study", "volumes", "--json"]);
    let said: Value = serde_json::from_str(&answer.out).expect("it answers in JSON");
    let cases = said["dry_run"]["cases"].as_array().expect("cases were looked at");
    let codes: Vec<&Value> = cases.iter().map(|case| &case["code"]).collect();
    assert_eq!(codes.len(), 10);
    for (place, code) in codes.into_iter().enumerate() {
        let expected = if place == 2 { Value::from("SERIES_GAP") } else { Value::Null };
        assert_eq!(*code, expected, "case {}", place + 1);
    }
    let rows = said["checks"].as_array().expect("there are checks");
    let probes = rows.iter().find(|row| row["check"] == "preprocessing").expect("one of them");
    assert!(probes["note"].to_string().contains("5 probe images come out"), "{probes}");
    let sheet = fs::read(hospital.home.join("dry-run-volumes.html")).expect("the sheet is there");
    assert_eq!(String::from_utf8_lossy(&sheet).matches("<img ").count(), 9);
    assert_eq!(Canaries::of_site(&data).found_in(&sheet), Vec::<&str>::new());
}
