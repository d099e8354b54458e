//! Hospitals that bring findings with a place: the report's numbers are those that follow from the raw files by
//! definition, whether they are CSV or DICOM SR, a hospital with few patients who have lesions says nothing, and
//! nothing else leaves.

mod definition;
mod files;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fedval_tests::canary::{Canaries, stands_in, without_clock};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use serde_json::Value;

use definition::{
    Truth, area, average_precision_of_all, counts, error_between_patients, real, truth,
};
use files::{reports, write};

const STUDY: &str = "nodules";
/// Patients of a hospital that is large enough.
const PATIENTS: usize = 240;
/// Fewest patients behind anything.
const K: usize = 11;
/// The locked cut-off, an edge of twenty bins.
const CUT_OFF: f64 = 0.4;
/// Findings of a scan beyond so many do not count.
const MOST_FOUND: usize = 6;
/// Lesions of a patient beyond so many do not count.
const MOST_LESIONS: usize = 3;

/// A reference finding.
#[derive(Debug, Clone, Copy)]
struct Lesion {
    centre: [f64; 3],
    radius: f64,
    /// Left open by the readers.
    open: bool,
}

/// A finding of the model.
#[derive(Debug, Clone, Copy)]
struct Found {
    place: [f64; 3],
    score: f64,
}

/// A scan of a patient.
#[derive(Debug, Clone)]
struct Scan {
    patient: usize,
    is_female: bool,
    /// Whether the model read it.
    is_read: bool,
    lesions: Vec<Lesion>,
    found: Vec<Found>,
}

/// Scans of patients, one or two of each; every second patient up to `with` has lesions, found with the probability
/// `skill`.
fn scans(seed: u64, with: usize, skill: f64) -> Vec<Scan> {
    let mut dice = Dice(seed);
    let mut scans = Vec::new();
    for patient in 0..PATIENTS {
        let is_female = dice.roll() < 0.5;
        for _ in 0..=usize::from(patient % 4 == 0) {
            let has_lesions =
                patient % 2 == 1 && patient < 2 * with || patient % 8 == 0 && with > 20;
            let many = if has_lesions { 1 + dice.below(4) } else { 0 };
            let lesions: Vec<Lesion> = (0..many)
                .map(|place| Lesion {
                    centre: [
                        f64::from(place) * 40.0 + dice.rounded(0.0, 9.0, 1e4),
                        dice.rounded(-80.0, 80.0, 1e4),
                        dice.rounded(-80.0, 80.0, 1e4),
                    ],
                    radius: dice.rounded(2.0, 6.0, 10.0),
                    open: dice.roll() < 0.1,
                })
                .collect();
            let mut found = Vec::new();
            for lesion in &lesions {
                // Some are found twice.
                for _ in 0..2 {
                    if dice.roll() < skill {
                        let mut place = lesion.centre;
                        place[0] += dice.rounded(-0.5, 0.5, 100.0) * lesion.radius;
                        found.push(Found { place, score: dice.rounded(0.15, 1.0, 1e3) });
                    }
                }
            }
            for place in 0..dice.below(5) {
                let place = [700.0 + 30.0 * f64::from(place), dice.rounded(0.0, 9.0, 1e4), 0.0];
                let score = dice.rounded(0.0, 1.0, 1e3) * dice.rounded(0.0, 1.0, 1e3);
                found.push(Found { place, score });
            }
            scans.push(Scan { patient, is_female, is_read: true, lesions, found });
        }
    }
    scans
}

/// The hospital whose findings are reports.
const REPORTING: &str = "south";

fn study(model: &Path) -> String {
    let detection = format!(
        "task = \"detection\"\nprediction_tables = \"accept\"\n[detection]\n\
         matching = \"centre_in_radius\"\nmost_candidates = {MOST_FOUND}\nmost_lesions = {MOST_LESIONS}\n\
         [model]\n"
    );
    small_site::study(STUDY, model)
        .replace("[model]\n", &detection)
        .replace("positive = [\"1\"]\nnegative = [\"0\"]\n", "")
        .replace("unit = \"patient\"\ncombine = \"mean\"", "unit = \"image\"")
        .replace("threshold = 0.5", &format!("threshold = {CUT_OFF}"))
        .replace(
            "metric = \"auroc\"\nlimit = 0.8",
            "metric = \"lesion_sensitivity@half\"\nlimit = 0.5",
        )
        + "[[endpoints]]\nname = \"ranking\"\nmetric = \"average_precision\"\nlimit = 0.2\n\
           [[subgroups]]\ndimension = \"sex\"\ncolumn = \"sex\"\ncategories = [\n  \
           { name = \"female\", values = [\"F\"] },\n  { name = \"male\", values = [\"M\"] },\n]\n"
}

fn close(what: &str, got: f64, expected: f64) {
    near(what, got, expected, 1e-9);
}

/// A hospital's counts, its curve and what is read off it.
fn check_site(report: &Value, name: &str, truth: &[Truth]) {
    let site = site(report, name);
    assert_eq!(site["status"], "released", "{site}");
    let lesions: usize = truth.iter().map(|scan| scan.lesions).sum();
    let (hits, others) = counts(truth.iter(), CUT_OFF);
    let found = &site["detection"]["counts"];
    let expected = serde_json::json!({
        "false_positives": others, "hits": hits, "lesions": lesions, "scans": truth.len()
    });
    assert_eq!(*found, expected, "{name}");
    let with = truth.iter().filter(|scan| scan.lesions > 0).count();
    assert_eq!((&site["n"], &site["n_pos"]), (&truth.len().into(), &with.into()));
    let sensitivity = &site["metrics"]["lesion_sensitivity@half"];
    close(name, number(sensitivity, "/estimate"), real(hits) / real(lesions));
    let se = error_between_patients(truth);
    let told = number(sensitivity, "/se");
    assert!((told / se - 1.0).abs() < 0.05, "{name}: {told} {se}");
    close(
        name,
        number(site, "/metrics/fp_per_scan@half/estimate"),
        real(others) / real(truth.len()),
    );
    check_curve(name, site, truth);
    check_average_precision(name, site, truth);
}

/// The number follows from the scores that were told; its error is that without each patient in turn.
fn check_average_precision(name: &str, site: &Value, truth: &[Truth]) {
    let curve = site["detection"]["curve"].as_array().expect("a list");
    let thresholds: Vec<f64> = curve.iter().map(|point| number(point, "/threshold")).collect();
    let own = |path: &str| number(site, &format!("/metrics/average_precision{path}"));
    let expected = area(&truth.iter(), &thresholds);
    near(name, own("/estimate"), expected, 1e-4);
    near(name, expected, average_precision_of_all(truth), 0.05);
    let patients: BTreeSet<usize> = truth.iter().map(|scan| scan.patient).collect();
    let without = |patient: &usize| {
        let patient = *patient;
        area(&truth.iter().filter(move |scan| scan.patient != patient), &thresholds)
    };
    let areas: Vec<f64> = patients.iter().map(without).collect();
    let n = real(areas.len());
    let mean = areas.iter().sum::<f64>() / n;
    let squares: f64 = areas.iter().map(|area| (area - mean).powi(2)).sum();
    let se = ((n - 1.0) / n * squares).sqrt();
    assert!((own("/se") / se - 1.0).abs() < 0.055, "{name}: {} {se}", own("/se"));
    assert!(0.0 < own("/ci/0") && own("/ci/0") < expected && expected < own("/ci/1"));
}

/// Every score that was told has its counts, and stands far enough from the next; the rest is interpolation.
fn check_curve(name: &str, site: &Value, truth: &[Truth]) {
    let curve = site["detection"]["curve"].as_array().expect("a list");
    assert!(curve.len() >= 5, "{name}: {curve:?}");
    let lesions: usize = truth.iter().map(|scan| scan.lesions).sum();
    let mut points = vec![(0.0, 0.0)];
    let mut above = f64::INFINITY;
    for point in curve {
        let threshold = number(point, "/threshold");
        let (hits, others) = counts(truth.iter(), threshold);
        assert_eq!((&point["hits"], &point["false_positives"]), (&hits.into(), &others.into()));
        let is_in = |score: &f64| *score >= threshold && *score < above;
        let who: BTreeSet<usize> = truth
            .iter()
            .filter(|scan| scan.hits.iter().chain(&scan.others).any(is_in))
            .map(|scan| scan.patient)
            .collect();
        assert!(who.len() >= K, "{name}: {} patients above {threshold}", who.len());
        points.push((real(others) / real(truth.len()), real(hits) / real(lesions)));
        above = threshold;
    }
    let mut sum = 0.0;
    for value in site["detection"]["froc"].as_array().expect("a list") {
        let (rate, got) = (number(value, "/rate"), number(value, "/sensitivity"));
        let right = points.iter().position(|(x, _)| *x > rate);
        let expected = match right {
            Some(right) => {
                let [(x0, y0), (x1, y1)] = [points[right - 1], points[right]];
                y0 + (y1 - y0) * (rate - x0) / (x1 - x0)
            }
            None => points[points.len() - 1].1,
        };
        close(name, got, expected);
        sum += expected;
    }
    close(name, number(site, "/metrics/cpm/estimate"), sum / 7.0);
}

/// Nothing of the files but counts leaves.
fn check_silence(hospital: &Site, data: &Path, report: &Value) {
    let outgoing = hospital.outgoing();
    let mut found: Vec<String> =
        Canaries::of_site(data).found_in(&outgoing).into_iter().map(str::to_owned).collect();
    found.retain(|word| word.len() > 3);
    let told = without_clock(&outgoing);
    for file in ["reference.csv", "predicted.csv"] {
        let cells = fs::read_to_string(data.join(file)).expect("a file of findings");
        let cells = cells.lines().skip(1).flat_map(|line| line.split(','));
        let is_canary = |cell: &&str| cell.len() > 6 && cell.contains('.');
        found.extend(
            cells.filter(is_canary).filter(|cell| stands_in(cell, &told)).map(str::to_owned),
        );
    }
    assert_eq!(found, Vec::<String>::new(), "{}", hospital.name);
    // Before anything left, the steward could see it.
    let job = report["round"]["id"].as_str().expect("a round");
    let shown = hospital.agent(&["preview", job]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let is_released = site(report, &hospital.name)["status"] == "released";
    assert_eq!(shown.out.contains("lesions found"), is_released, "{}", shown.out);
}

/// Three hospitals that are large enough, of which one could not read some scans, and one where hardly anybody has a
/// lesion.
fn hospitals() -> Vec<(&'static str, Vec<Scan>)> {
    let mut west = scans(3, 120, 0.6);
    for patient in 0..12 {
        let of = |scan: &&mut Scan| scan.patient == 20 * patient + 1;
        let scan = west.iter_mut().find(of).expect("a scan");
        scan.is_read = false;
        scan.found.clear();
    }
    let (north, mut south, small) = (scans(1, 120, 0.7), scans(2, 120, 0.5), scans(4, 8, 0.7));
    // A report leaves no finding open.
    south.iter_mut().flat_map(|scan| &mut scan.lesions).for_each(|lesion| lesion.open = false);
    vec![("north", north), ("south", south), ("west", west), ("small", small)]
}

/// A hospital whose files lie in a folder of their own.
fn enrol(consortium: &Consortium, name: &str, scans: &[Scan]) -> Site {
    let data = consortium.path(&format!("data-{name}"));
    write(&data, scans);
    let site = consortium.enrol(name, &data);
    let folder = data.display();
    // The same numbers stand in both forms; of a folder, the files beside it are not read.
    let end = if name == REPORTING { "" } else { ".csv" };
    if name == REPORTING {
        reports(&data, scans);
    }
    site.configure_also(&format!(
        "[data_sources.findings]\nreference = \"{folder}/reference{end}\"\n\
         predicted = \"{folder}/predicted{end}\"\nstatus = \"seen\"\n"
    ));
    site
}

#[test]
fn findings_of_three_hospitals_are_counted_as_their_files_say() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"a model that nobody runs").expect("a writable folder");
    let hospitals = hospitals();
    let mut sites: Vec<Site> =
        hospitals.iter().map(|(name, scans)| enrol(&consortium, name, scans)).collect();
    let (out, report) = consortium.complete(STUDY, &study(&model), &mut sites);
    assert!(out.join("figures/froc.svg").is_file() && out.join("tables/detection.csv").is_file());

    for (name, scans) in &hospitals[..3] {
        check_site(&report, name, &truth(scans));
    }
    check_groups(&report, "north", &truth(&hospitals[0].1));
    check_few(&report, &truth(&hospitals[3].1));
    let attrition = &site(&report, "west")["attrition"];
    assert_eq!(*attrition, serde_json::json!([{ "patients": 12, "reason": "invalid_output" }]));
    check_synthesis(&report);
    for (hospital, (name, _)) in sites.iter().zip(&hospitals) {
        check_silence(hospital, &consortium.path(&format!("data-{name}")), &report);
    }
}

/// The hospital with few patients who have lesions says only that.
fn check_few(report: &Value, truth: &[Truth]) {
    let with: BTreeSet<usize> =
        truth.iter().filter(|scan| scan.lesions > 0).map(|scan| scan.patient).collect();
    assert!(with.len() < K && !with.is_empty());
    assert_eq!(site(report, "small")["status"], "insufficient");
    assert!(site(report, "small").get("detection").is_none());
}

fn check_synthesis(report: &Value) {
    let pooled = &report["synthesis"]["lesion_sensitivity@half"];
    assert_eq!(pooled["k"], 3);
    let shares = ["north", "south", "west"]
        .map(|name| number(site(report, name), "/metrics/lesion_sensitivity@half/estimate"));
    let [low, high] = [f64::min, f64::max].map(|of| shares.into_iter().reduce(of).expect("three"));
    assert!((low..=high).contains(&number(pooled, "/estimate")), "{pooled}");
    assert!(number(pooled, "/prediction_interval/0") < low, "{pooled}");
    assert_eq!(report["synthesis"]["cpm"]["not_estimable"], "no_sampling_error");
    let area = &report["synthesis"]["average_precision"];
    assert_eq!((&area["k"], &area["scale"]), (&Value::from(3), &Value::from("logit")));
    let verdict = &report["verdicts"][1];
    assert_eq!((&verdict["metric"], &verdict["k"]), (&"average_precision".into(), &3.into()));
    assert_eq!(verdict["estimate"], area["estimate"]);
}

/// Women and men of one hospital.
fn check_groups(report: &Value, name: &str, truth: &[Truth]) {
    let groups = report["subgroups"].as_array().expect("a list");
    assert_eq!(groups.len(), 2);
    for group in groups {
        let is_female = group["category"] == "female";
        let own = || truth.iter().filter(move |scan| scan.is_female == is_female);
        let cells = group["sites"].as_array().expect("a list");
        let cell = cells.iter().find(|cell| cell["site"] == name).expect("the site");
        let found = &cell["performance"]["detection"];
        let (hits, others) = counts(own(), CUT_OFF);
        let lesions: usize = own().map(|scan| scan.lesions).sum();
        let scans = own().count();
        let expected = serde_json::json!({
            "false_positives": others, "hits": hits, "lesions": lesions, "scans": scans
        });
        assert_eq!(*found, expected, "{}", group["category"]);
    }
}
