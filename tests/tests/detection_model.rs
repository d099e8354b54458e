//! Hospitals at which the model itself finds: boxes in what it saw come back to the image's own pixels, the report's
//! counts are those that follow from the boxes by definition, and nothing of a case leaves.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::canary::{Canaries, stands_in};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use image::{GrayImage, Luma};
use onnx_file::{floats, graph, integers, node, value};
use serde_json::{Value, json};
use tract_onnx::pb::GraphProto;

const STUDY: &str = "boxes";
/// Patients of a hospital, with an image each.
const PATIENTS: usize = 120;
/// Pixels to a side of what the model sees.
const FRAME: u32 = 16;
/// The image is so many times as large: each pixel of what the model sees is a block of it.
const ENLARGED: u32 = 2;
/// Rows of the model's output.
const ROWS: usize = 4;
/// The locked cut-off.
const CUT_OFF: f64 = 0.5;
/// The smallest overlap that counts.
const LEAST: f64 = 0.5;

/// Left, upper, right and lower edge, in pixels of the image.
type Area = [u32; 4];

/// An image in whose first pixels stands what the model finds in it.
struct Patient {
    /// Boxes in pixels of what the model sees, with a score in 255ths; one of 0 is none.
    rows: [[u8; 5]; ROWS],
    /// The reference standard's, in pixels of the image.
    lesions: Vec<Area>,
    /// Whether the reference standard read the image.
    is_read: bool,
    /// The row that a better one suppresses.
    suppressed: Option<usize>,
}

impl Patient {
    /// The same patient, of whom the model finds everything twice: the lesion a pixel further to the left with a better
    /// score, of which half and more is common, and what is none a pixel further on, of which a third is.
    fn doubled(mut self) -> Self {
        let [lesion, _, other, _] = self.rows;
        if lesion[4] > 0 {
            let [x0, y0, x1, y1, score] = lesion;
            // The better one stands below.
            self.rows[1] = lesion;
            self.rows[0] = [x0 + 1, y0, x1 + 1, y1, score - 20];
            self.suppressed = Some(0);
        }
        if other[4] > 0 {
            let [x0, y0, x1, y1, score] = other;
            self.rows[3] = [x0 + 1, y0, x1 + 1, y1, score];
        }
        self
    }

    /// What the model finds, in pixels of the image, with the score.
    fn found(&self) -> Vec<(Area, f64)> {
        let of = |[x0, y0, x1, y1, score]: [u8; 5]| {
            ([x0, y0, x1, y1].map(|edge| ENLARGED * u32::from(edge)), f64::from(score) / 255.0)
        };
        let rows = self.rows.into_iter().enumerate();
        let stays = rows.filter(|(at, row)| row[4] > 0 && self.suppressed != Some(*at));
        stays.map(|(_, row)| of(row)).collect()
    }
}

/// Half of the patients have a lesion, which is found with the probability `skill`; some have a false positive.
fn patients(seed: u64, skill: f64) -> Vec<Patient> {
    let mut dice = Dice(seed);
    (0..PATIENTS)
        .map(|index| {
            let mut rows = [[0; 5]; ROWS];
            let mut lesions = Vec::new();
            let mut byte =
                |least: u32, below: u32| u8::try_from(least + dice.below(below)).unwrap();
            if index % 2 == 0 {
                let [x, y] = [byte(0, 4), byte(0, 4)];
                let side = byte(4, 3);
                // In pixels of the image, and not all of them even.
                let [x0, y0, width] = [x, y, side].map(|edge| ENLARGED * u32::from(edge));
                lesions.push([x0 + 1, y0, x0 + 1 + width, y0 + width]);
                if f64::from(byte(0, 100)) < 100.0 * skill {
                    rows[0] = [x, y, x + side, y + side, byte(100, 150)];
                }
            }
            if byte(0, 3) == 0 {
                let [x, y] = [byte(11, 2), byte(11, 2)];
                rows[2] = [x, y, x + 2, y + 2, byte(40, 200)];
            }
            let is_read = index % 40 != 7;
            let lesions = if is_read { lesions } else { Vec::new() };
            Patient { rows, lesions, is_read, suppressed: None }
        })
        .collect()
}

fn write(folder: &Path, patients: &[Patient]) {
    fs::create_dir_all(folder).unwrap();
    let mut table = "case_id,patient_id,image,seen\n".to_owned();
    let mut reference = "case_id,x0,y0,x1,y1\n".to_owned();
    for (index, patient) in patients.iter().enumerate() {
        let side = FRAME * ENLARGED;
        let picture = GrayImage::from_fn(side, side, |column, row| {
            let [row, column] = [row, column].map(|at| usize::try_from(at / ENLARGED).unwrap());
            let number = patient.rows.get(row).and_then(|row| row.get(column));
            Luma([number.copied().unwrap_or(77)])
        });
        picture.save(folder.join(format!("IMAGEX{index}.png"))).unwrap();
        let seen = if patient.is_read { "" } else { "no_reference" };
        writeln!(table, "CASEX{index},PATIENTX{index},IMAGEX{index}.png,{seen}").unwrap();
        for [x0, y0, x1, y1] in &patient.lesions {
            writeln!(reference, "CASEX{index},{x0},{y0},{x1},{y1}").unwrap();
        }
    }
    fs::write(folder.join("manifest.csv"), table).unwrap();
    fs::write(folder.join("reference.csv"), reference).unwrap();
}

/// Reads the table in the first pixels: edges in pixels, and the score as it stands.
fn model() -> Vec<u8> {
    let rows = i64::try_from(ROWS).unwrap();
    let nodes = vec![
        node("Slice", &["image", "from", "to"], "corner"),
        node("Reshape", &["corner", "shape"], "table"),
        node("Mul", &["table", "units"], "boxes"),
    ];
    let stored = vec![
        integers("from", &[0, 0, 0, 0]),
        integers("to", &[1, 1, rows, 5]),
        integers("shape", &[rows, 5]),
        floats("units", &[1, 5], &[255.0, 255.0, 255.0, 255.0, 1.0]),
    ];
    let side = Some(i64::from(FRAME));
    onnx_file::bytes(GraphProto {
        input: vec![value("image", &[None, Some(1), side, side])],
        output: vec![value("boxes", &[Some(rows), Some(5)])],
        ..graph(nodes, stored)
    })
}

fn study(model: &Path) -> String {
    let detection = format!(
        "task = \"detection\"\n[detection]\nmatching = \"iou\"\niou = {LEAST:?}\nbins = 10\n\
         most_candidates = 10\nmost_lesions = 3\n[model]\n"
    );
    small_site::study(STUDY, model)
        .replace("[model]\n", &detection)
        .replace("height = 8", &format!("height = {FRAME}"))
        .replace("width = 8", &format!("width = {FRAME}"))
        .replace("resize = \"refuse\"", "resize = \"bilinear\"")
        .replace("name = \"probability\"\n", "name = \"boxes\"\nform = \"boxes\"\n")
        .replace("positive = [\"1\"]\nnegative = [\"0\"]\n", "")
        .replace("unit = \"patient\"\ncombine = \"mean\"", "unit = \"image\"")
        .replace("threshold = 0.5", &format!("threshold = {CUT_OFF:?}"))
        .replace(
            "metric = \"auroc\"\nlimit = 0.8",
            "metric = \"lesion_sensitivity@half\"\nlimit = 0.5",
        )
}

fn overlap(one: Area, other: Area) -> f64 {
    let size = |[x0, y0, x1, y1]: Area| f64::from(x1.saturating_sub(x0) * y1.saturating_sub(y0));
    let common = size([
        one[0].max(other[0]),
        one[1].max(other[1]),
        one[2].min(other[2]),
        one[3].min(other[3]),
    ]);
    common / (size(one) + size(other) - common)
}

/// Lesions found, and false positives, at the cut-off: of boxes that stay no two of a patient are near one lesion.
fn counts(patients: &[&Patient]) -> (usize, usize) {
    let mut counts = (0, 0);
    for patient in patients {
        for (area, _) in patient.found().into_iter().filter(|(_, score)| *score >= CUT_OFF) {
            if patient.lesions.iter().any(|lesion| overlap(area, *lesion) >= LEAST) {
                counts.0 += 1;
            } else {
                counts.1 += 1;
            }
        }
    }
    counts
}

fn check(report: &Value, name: &str, patients: &[Patient]) {
    let site = site(report, name);
    assert_eq!(site["status"], "released", "{site}");
    let read: Vec<&Patient> = patients.iter().filter(|patient| patient.is_read).collect();
    let lesions: usize = read.iter().map(|patient| patient.lesions.len()).sum();
    let (hits, others) = counts(&read);
    assert!(hits > 20 && others > 10 && hits < lesions, "{hits} {others}");
    let found = &site["detection"]["counts"];
    let expected = json!({
        "false_positives": others, "hits": hits, "lesions": lesions, "scans": read.len()
    });
    assert_eq!(*found, expected, "{name}");
    let share = real(hits) / real(lesions);
    near(name, number(site, "/metrics/lesion_sensitivity@half/estimate"), share, 1e-9);
    let rate = real(others) / real(read.len());
    near(name, number(site, "/metrics/fp_per_scan@half/estimate"), rate, 1e-9);
}

fn real(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap())
}

/// The three hospitals and the skill of the model there.
fn hospitals() -> [(&'static str, Vec<Patient>); 3] {
    [("north", patients(1, 0.8)), ("south", patients(2, 0.6)), ("west", patients(3, 0.7))]
}

#[test]
fn boxes_that_the_model_gives_are_matched_in_the_images_own_pixels() {
    evaluate(&hospitals(), |study| study);
}

#[test]
fn of_boxes_on_one_place_the_one_with_the_highest_score_counts_where_the_protocol_says_so() {
    let doubled = |of: Vec<Patient>| of.into_iter().map(Patient::doubled).collect::<Vec<_>>();
    let hospitals = hospitals().map(|(name, patients)| (name, doubled(patients)));
    for (_, patients) in &hospitals {
        assert!(patients.iter().filter(|patient| patient.suppressed.is_some()).count() > 20);
    }
    let suppression =
        "form = \"boxes\"\nnon_maximum_suppression = { iou = 0.5, candidates = 40 }\n";
    evaluate(&hospitals, |study| study.replace("form = \"boxes\"\n", suppression));
}

/// A round over the hospitals, whose report is held against what follows from the boxes by definition.
fn evaluate(hospitals: &[(&str, Vec<Patient>); 3], change: impl Fn(String) -> String) {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    fs::write(&file, model()).unwrap();
    let mut sites: Vec<Site> = hospitals
        .iter()
        .map(|(name, patients)| {
            let data = consortium.path(&format!("data-{name}"));
            write(&data, patients);
            let site = consortium.enrol(name, &data);
            site.configure_also(&format!(
                "[data_sources.findings]\nreference = \"{}/reference.csv\"\nstatus = \"seen\"\n",
                data.display()
            ));
            site
        })
        .collect();
    let (_, report) = consortium.complete(STUDY, &change(study(&file)), &mut sites);
    for (hospital, (name, patients)) in sites.iter().zip(hospitals) {
        check(&report, name, patients);
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{name}")));
        assert!(canaries.len() >= 3 * patients.len(), "case, patient and image of every line");
        let outgoing = hospital.outgoing();
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{name}");
        assert!(!stands_in("IMAGEX", &outgoing), "{name}: a path left");
        let job = report["round"]["id"].as_str().unwrap();
        let shown = hospital.agent(&["preview", job]);
        assert!(shown.out.contains("lesions found"), "{}", shown.out);
    }
}
