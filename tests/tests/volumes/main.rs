//! Hospitals whose images are volumes: one keeps them as NIfTI, the other as DICOM slices in a folder. The same patients
//! come to the same numbers in both, which are those of their definition, and no word of a header leaves. Nor does one that
//! says into which group a patient belongs.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../../site-agent/ingest/tests/dicom_file/mod.rs"]
mod dicom_file;
mod header_groups;
mod made;
#[path = "../../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;

use std::fs;
use std::path::Path;

use fedval_tests::canary::{Canaries, stands_in};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use made::{Kept, SERIES, VOXELS, Volume, model, volumes, write};
use serde_json::Value;

/// Patients of a hospital, half of them with the condition.
const PATIENTS: usize = 120;

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
