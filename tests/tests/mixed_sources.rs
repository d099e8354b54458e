//! One study in which a hospital runs the model on its images and two others bring scores that it gave elsewhere, as CSV
//! and as Parquet. All three have the same patients and come to the same numbers; the report marks those two and no other.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;
#[path = "../../site-agent/ingest/tests/parquet_file/mod.rs"]
mod parquet_file;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::canary::Canaries;
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use image::{GrayImage, Luma};
use parquet::basic::Compression;
use parquet_file::{Cells, bytes};
use serde_json::{Value, json};
use tract_onnx::pb::GraphProto;

const STUDY: &str = "mixed";
const PATIENTS: u32 = 160;
/// Sites, each with how it has its cases.
const SITES: [(&str, Kept); 3] =
    [("csv", Kept::Csv), ("images", Kept::Images), ("parquet", Kept::Parquet)];
/// Rows and columns of an image.
const SIDE: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Images,
    Csv,
    Parquet,
}

/// A patient with one image, which is all over of one grey.
#[derive(Debug, Clone, Copy)]
struct Patient {
    is_positive: bool,
    is_female: bool,
    grey: u8,
}

impl Patient {
    /// What the model says of the image.
    fn score(self) -> f32 {
        f32::from(self.grey) / 255.0
    }

    const fn sex(self) -> &'static str {
        if self.is_female { "F" } else { "M" }
    }
}

fn patients() -> Vec<Patient> {
    let mut dice = Dice(31);
    (0..PATIENTS)
        .map(|patient| {
            let is_positive = patient % 2 == 1;
            let grey = if is_positive { 85 } else { 40 } + dice.below(130);
            // A fifth of 255 and its like lie on the edges of decimal grids, where the last bit decides.
            let grey = grey + u32::from(grey.is_multiple_of(51));
            let grey = u8::try_from(grey).expect("a grey value");
            Patient { is_positive, is_female: patient % 4 < 2, grey }
        })
        .collect()
}

/// The mean of an image, from 0 to 1.
fn model() -> Vec<u8> {
    let nodes = vec![
        onnx_file::node("GlobalAveragePool", &["image"], "pooled"),
        onnx_file::node("Flatten", &["pooled"], "score"),
    ];
    let side = Some(i64::from(SIDE));
    let input = vec![onnx_file::value("image", &[None, Some(1), side, side])];
    onnx_file::bytes(GraphProto { input, ..onnx_file::graph(nodes, Vec::new()) })
}

/// A manifest, and the images beside it where the site has any.
fn write(folder: &Path, patients: &[Patient], kept: Kept) {
    fs::create_dir_all(folder).expect("a writable folder");
    let column = if kept == Kept::Images { "image" } else { "score" };
    let mut manifest = format!("case_id,patient_id,{column},label,sex\n");
    for (index, patient) in patients.iter().enumerate() {
        let cell = match kept {
            Kept::Images => {
                let name = format!("IMAGEX{index}.png");
                let image = GrayImage::from_pixel(SIDE, SIDE, Luma([patient.grey]));
                image.save(folder.join(&name)).expect("a writable folder");
                name
            }
            Kept::Csv | Kept::Parquet => f64::from(patient.score()).to_string(),
        };
        let (label, sex) = (u8::from(patient.is_positive), patient.sex());
        writeln!(manifest, "CASEX{index},PATIENTX{index},{cell},{label},{sex}").expect("text");
    }
    fs::write(folder.join("manifest.csv"), manifest).expect("a writable folder");
    if kept == Kept::Parquet {
        fs::write(folder.join("manifest.parquet"), parquet(patients)).expect("a writable folder");
    }
}

/// The table with scores in single precision, as most programs write what a model gave.
fn parquet(patients: &[Patient]) -> Vec<u8> {
    let named = |name: &str| {
        Cells::Text((0..patients.len()).map(|index| Some(format!("{name}{index}"))).collect())
    };
    let sex = patients.iter().map(|patient| Some(patient.sex().to_owned()));
    let columns = [
        ("case_id", named("CASEX")),
        ("patient_id", named("PATIENTX")),
        ("score", Cells::Singles(patients.iter().map(|patient| Some(patient.score())).collect())),
        ("label", Cells::Flags(patients.iter().map(|patient| Some(patient.is_positive)).collect())),
        ("sex", Cells::Text(sex.collect())),
    ];
    bytes(&columns, Compression::SNAPPY, 64)
}

/// What a yes-or-no column is read as counts as the label too.
fn study(model: &Path) -> String {
    let mut text = small_site::study(STUDY, model);
    for (what, with) in [
        (
            "title = ",
            "preprocessing_probes = \"require\"\nprediction_tables = \"accept\"\ntitle = ",
        ),
        ("name = \"probability\"", "name = \"score\""),
        ("positive = [\"1\"]", "positive = [\"1\", \"true\"]"),
        ("negative = [\"0\"]", "negative = [\"0\", \"false\"]"),
    ] {
        assert!(text.contains(what), "{what}");
        text = text.replacen(what, with, 1);
    }
    text + "[[subgroups]]\ndimension = \"sex\"\ncolumn = \"sex\"\ncategories = [\n  \
           { name = \"female\", values = [\"F\"] },\n  { name = \"male\", values = [\"M\"] },\n]\n"
}

fn enrol(consortium: &Consortium, name: &str, kept: Kept) -> Site {
    let data = consortium.path(&format!("data-{name}"));
    write(&data, &patients(), kept);
    let site = consortium.enrol(name, &data);
    if kept != Kept::Images {
        site.configure_also("[data_sources.columns]\nscore = \"score\"\n");
    }
    if kept == Kept::Parquet {
        site.reconfigure("/manifest.csv", "/manifest.parquet");
    }
    site
}

#[test]
fn images_and_two_tables_in_one_study_give_the_same_numbers_and_the_tables_are_marked() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    fs::write(&file, model()).expect("a writable folder");
    let mut sites: Vec<Site> =
        SITES.iter().map(|(name, kept)| enrol(&consortium, name, *kept)).collect();
    let (out, report) = consortium.complete(STUDY, &study(&file), &mut sites);

    check_numbers(&report);
    check_marks(&report, &out);
    for hospital in &sites {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", hospital.name)));
        let outgoing = hospital.outgoing();
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", hospital.name);
    }
}

/// Counts are those of the definition, and what follows from scores is the same wherever the model ran.
fn check_numbers(report: &Value) {
    let patients = patients();
    let count = |is: fn(&Patient) -> bool| patients.iter().filter(|patient| is(patient)).count();
    let called = json!({
        "tp": count(|patient| patient.is_positive && patient.score() >= 0.5),
        "fp": count(|patient| !patient.is_positive && patient.score() >= 0.5),
        "fn": count(|patient| patient.is_positive && patient.score() < 0.5),
        "tn": count(|patient| !patient.is_positive && patient.score() < 0.5),
    });
    let of_images = site(report, "images");
    for (name, _) in SITES {
        let found = site(report, name);
        assert_eq!(found["status"], "released", "{name}");
        assert_eq!(found["n"], PATIENTS, "{name}");
        for cell in ["tp", "fp", "fn", "tn"] {
            assert_eq!(found["operating_points"][0][cell], called[cell], "{name} {cell}");
        }
        for metric in ["auroc", "brier", "calibration_slope"] {
            let path = format!("/metrics/{metric}/estimate");
            near(
                &format!("{metric} of {name}"),
                number(found, &path),
                number(of_images, &path),
                1e-5,
            );
        }
    }
    assert_eq!(report["synthesis"]["auroc"]["k"], SITES.len());
    for group in report["subgroups"].as_array().expect("a list") {
        let is_female = group["category"] == "female";
        let expected = patients.iter().filter(|patient| patient.is_female == is_female).count();
        for cell in group["sites"].as_array().expect("a list") {
            assert_eq!(cell["performance"]["patients"], expected, "{}", cell["site"]);
        }
    }
}

/// Nobody takes what was brought for what the model did in the round, nor the other way round.
fn check_marks(report: &Value, out: &Path) {
    for (name, kept) in SITES {
        let found = site(report, name);
        let is_table = kept != Kept::Images;
        let scores = if is_table { "prediction_table" } else { "model" };
        assert_eq!(found["scores"], scores, "{name}");
        // Who opened an image shows how it prepares them.
        assert_eq!(found["preprocessing"].is_null(), is_table, "{name}");
    }
    let limits = report["limits"].to_string();
    assert!(limits.contains("Scores of csv, parquet were made elsewhere"), "{limits}");
    let page = fs::read_to_string(out.join("report.html")).expect("a report for people");
    let marked: Vec<&str> = page
        .split("<tr")
        .filter(|row| row.contains("released, from scores made elsewhere"))
        .collect();
    let [csv, parquet] = &marked[..] else { panic!("{} sites are marked", marked.len()) };
    assert!(csv.contains(">csv<") && parquet.contains(">parquet<"), "{marked:?}");
}
