//! Hospitals that bring scores for several findings of each image: the report's numbers of every condition, and of the
//! mean over all of them, are those that follow from the raw tables by definition; who lacks a reference standard is
//! missing from that condition alone; a condition of few patients stays, and nothing else leaves. The same of women and of men.

mod definition;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::by_definition::pooled;
use fedval_tests::canary::Canaries;
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use serde_json::Value;

use definition::{area, assessed, is_told_by_sex, told_macro_area};

/// The conditions, in the order of the model's output.
const CONDITIONS: [&str; 3] = ["effusion", "pneumothorax", "nodule"];

/// Cut-offs: of which condition, name and threshold.
const POINTS: [(usize, &str, f64); 3] =
    [(0, "effusion-rule-out", 0.3), (0, "effusion-rule-in", 0.6), (2, "nodule-call", 0.4)];

/// A patient with what the reference standard says of each condition, and the scores of one or two images.
#[derive(Debug, Clone)]
struct Patient {
    female: bool,
    reference: [Option<bool>; 3],
    images: Vec<[f64; 3]>,
}

impl Patient {
    /// The mean of the images, in four decimals, so that equal means are equal however they came about.
    fn score(&self, condition: usize) -> f64 {
        let sum: f64 = self.images.iter().map(|image| image[condition]).sum();
        (sum / count(self.images.len()) * 10_000.0).round() / 10_000.0
    }
}

/// A hospital's patients: how many, how often each condition is there, and how many in a row were not assessed for it.
struct Hospital {
    name: &'static str,
    patients: Vec<Patient>,
}

fn hospital(
    (name, seed, patients): (&'static str, u64, usize),
    noise: f64,
    share: [f64; 3],
    missing: [usize; 3],
) -> Hospital {
    let mut dice = Dice(seed);
    let patients = (0..patients)
        .map(|index| {
            // Who has one condition has another the more often.
            let frail = if dice.roll() < 0.3 { 1.6 } else { 0.75 };
            let is_there: [bool; 3] = share.map(|share| dice.roll() < share * frail);
            let mut image = || {
                // One luck for all conditions of an image, and one for each.
                let common = dice.roll() - 0.5;
                is_there.map(|is_there| {
                    let middle = if is_there { 0.62 } else { 0.36 };
                    let luck = noise * (0.4 * common + dice.roll() - 0.5);
                    ((middle + luck).clamp(0.01, 0.99) * 1000.0).round() / 1000.0
                })
            };
            let images = (0..=usize::from(index % 4 == 0)).map(|_| image()).collect();
            let start = [0, patients / 3, patients / 2];
            let is_missing = |of: usize| (start[of]..start[of] + missing[of]).contains(&index);
            let reference = [0, 1, 2].map(|of| (!is_missing(of)).then_some(is_there[of]));
            Patient { female: index % 2 == 0, reference, images }
        })
        .collect();
    Hospital { name, patients }
}

/// Of a second image the reference standard says nothing but of the first condition.
fn write(folder: &Path, hospital: &Hospital, third: &str) {
    fs::create_dir_all(folder).expect("a writable folder");
    let mut table = format!("case_id,patient_id,sex,p_0,p_1,p_2,effusion,pneumothorax,{third}\n");
    for (index, patient) in hospital.patients.iter().enumerate() {
        for (image, scores) in patient.images.iter().enumerate() {
            let cell = |of: usize| match patient.reference[of] {
                Some(_) if image > 0 && of > 0 => "",
                Some(true) => "1",
                Some(false) => "0",
                // Uncertain here, not assessed there.
                None if index % 2 == 0 => "-1",
                None => "",
            };
            let [a, b, c] = scores;
            let (first, second, last) = (cell(0), cell(1), cell(2));
            // Who has two images is known by one of them.
            let sex = match (image, patient.images.len(), patient.female) {
                (0, 2, _) => "",
                (_, _, true) => "F",
                _ => "M",
            };
            writeln!(
                table,
                "CASEX{index}I{image},PATIENTX{index},{sex},{a},{b},{c},{first},{second},{last}"
            )
            .expect("text");
        }
    }
    fs::write(folder.join("manifest.csv"), table).expect("a writable folder");
}

fn study(model: &Path) -> String {
    let mut text = small_site::study("labels", model)
        .replace("[model]\n", "task = \"multi_label\"\nprediction_tables = \"accept\"\n[model]\n")
        .replace("positive = [\"1\"]\nnegative = [\"0\"]\n", "")
        .replace("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", "")
        .replace(
            "metric = \"auroc\"\nlimit = 0.8",
            "metric = \"macro_auroc\"\nlimit = 0.55\n[[endpoints]]\nname = \"effusion\"\n\
             metric = \"auroc@effusion\"\nlimit = 0.999",
        );
    for (place, name) in CONDITIONS.iter().enumerate() {
        writeln!(
            text,
            "[[conditions]]\nname = \"{name}\"\ncolumn = \"{name}\"\npositive = [\"1\"]\n\
             negative = [\"0\"]\nmissing = [\"-1\"]"
        )
        .expect("text");
        if place == 0 {
            text.push_str("prevalences = [0.05]\n");
        }
        for (_, point, threshold) in POINTS.iter().filter(|(of, ..)| *of == place) {
            writeln!(
                text,
                "[[conditions.operating_points]]\nname = \"{point}\"\nthreshold = {threshold}"
            )
            .expect("text");
        }
    }
    text + "[[subgroups]]\ndimension = \"sex\"\ncolumn = \"sex\"\ncategories = [\n\
            { name = \"female\", values = [\"F\"] },\n{ name = \"male\", values = [\"M\"] },\n]\n"
}

/// Who is counted at all: where fewer than k lack a condition, they are not.
fn counted(hospital: &Hospital, set_aside: Option<usize>) -> Vec<Patient> {
    let lacks = |patient: &&Patient| set_aside.is_some_and(|of| patient.reference[of].is_none());
    hospital.patients.iter().filter(|patient| !lacks(patient)).cloned().collect()
}

/// Holds everything that the report says of a condition at a hospital against the table.
fn check_condition(site: &Value, patients: &[Patient], condition: usize) {
    let name = CONDITIONS[condition];
    let what = format!("{name} at {}", site["id"]);
    let assessed = assessed(patients, condition);
    let with = assessed.iter().filter(|(.., is_there)| *is_there).count();
    let own = &site["conditions"][condition];
    assert_eq!(own["name"], name);
    assert_eq!(own["n_pos"], with, "{what}");
    assert_eq!(own["n_neg"], assessed.len() - with, "{what}");
    assert_eq!(own["missing"], patients.len() - assessed.len(), "{what}");

    let metric =
        |metric: &str, path: &str| number(site, &format!("/metrics/{metric}@{name}/{path}"));
    let (area, parts) = area(patients, condition);
    near(&what, metric("auroc", "estimate"), area, 1e-9);
    let se = parts.iter().map(|part| part * part).sum::<f64>().sqrt();
    near(&what, metric("auroc", "se"), se, 1e-9);
    let squared = |(_, score, is_there): &(usize, f64, bool)| {
        (score - f64::from(u8::from(*is_there))).powi(2)
    };
    let brier = assessed.iter().map(squared).sum::<f64>() / count(assessed.len());
    near(&what, metric("brier", "estimate"), brier, 1e-5);
    let expected: f64 = assessed.iter().map(|(_, score, _)| score).sum();
    near(&what, metric("oe_ratio", "estimate"), count(with) / expected, 1e-4);
    assert!(metric("calibration_slope", "estimate").is_finite(), "{what}");

    for (place, (of, point, threshold)) in POINTS.iter().enumerate() {
        if *of != condition {
            continue;
        }
        let row = &site["operating_points"][place];
        assert_eq!(row["name"], *point);
        let cell = |is_there: bool, is_called: bool| {
            let is_it = |(_, score, reference): &&(usize, f64, bool)| {
                *reference == is_there && (score >= threshold) == is_called
            };
            assessed.iter().filter(is_it).count()
        };
        let expected = [cell(true, true), cell(true, false), cell(false, true), cell(false, false)];
        assert_eq!(["tp", "fn", "fp", "tn"].map(|key| row[key].clone()), expected.map(Value::from));
        let found = number(site, &format!("/metrics/sensitivity@{point}/estimate"));
        near(&what, found, count(cell(true, true)) / count(with), 1e-12);
    }
}

/// Holds what the report says of women and of men at a hospital against the table; how many conditions are told.
fn check_groups(report: &Value, name: &str, patients: &[Patient], whole: usize) -> usize {
    let mut told = 0;
    for group in report["subgroups"].as_array().expect("a list") {
        let of: Vec<Patient> = patients
            .iter()
            .filter(|patient| patient.female == (group["category"] == "female"))
            .cloned()
            .collect();
        let cells = group["sites"].as_array().expect("a list");
        let cell = cells.iter().find(|cell| cell["site"] == name).expect("the site");
        let found = &cell["performance"];
        if whole < 3 {
            // Of so few patients, with a condition that stays, nothing is told by sex.
            assert_eq!(found["withheld"], "S", "{name}");
            continue;
        }
        assert_eq!(found["patients"], of.len(), "{name}");
        for condition in 0..3 {
            let what = format!("{} of {} at {name}", CONDITIONS[condition], group["category"]);
            let own = &found["conditions"][condition];
            let id = format!("/metrics/auroc@{}", CONDITIONS[condition]);
            if !is_told_by_sex(patients, condition) {
                assert_eq!(own["n_pos"]["withheld"], "S", "{what}");
                assert_eq!(found.pointer(&format!("{id}/not_estimable")), Some(&"withheld".into()));
                continue;
            }
            told += 1;
            let count =
                |is: Option<bool>| of.iter().filter(|p| p.reference[condition] == is).count();
            let expected = [count(Some(true)), count(Some(false)), count(None)].map(Value::from);
            assert_eq!(
                ["n_pos", "n_neg", "missing"].map(|key| own[key].clone()),
                expected,
                "{what}"
            );
            let (area, parts) = area(&of, condition);
            near(&what, number(found, &format!("{id}/estimate")), area, 1e-9);
            let se = parts.iter().map(|part| part * part).sum::<f64>().sqrt();
            near(&what, number(found, &format!("{id}/se")), se, 1e-9);
        }
    }
    told
}

/// What a call of effusion means where one in twenty has it, and that each condition has its own pictures.
fn check_use(report: &Value, out: &Path) {
    let joint = &report["operating_points"][0]["joint"];
    let values = &joint["predictive_values"][0];
    assert_eq!((&values["source"], &values["prevalence"]), (&"protocol".into(), &0.05.into()));
    let [se, sp] = ["/sensitivity/estimate", "/specificity/estimate"].map(|at| number(joint, at));
    let expected = se * 0.05 / (se * 0.05 + (1.0 - sp) * 0.95);
    near("PPV", number(values, "/positive/estimate"), expected, 1e-9);
    let of_nodules = &report["operating_points"][2]["joint"]["predictive_values"];
    assert_eq!(of_nodules[0]["source"], "observed");
    for name in CONDITIONS {
        assert!(out.join(format!("figures/calibration-{name}.svg")).is_file(), "{name}");
    }
    assert!(out.join("figures/decision-curve-effusion.svg").is_file());
    assert!(!out.join("figures/decision-curve-nodule.svg").exists(), "one cut-off is no curve");
}

fn run(consortium: &Consortium, hospitals: &[Hospital]) -> Value {
    let model = consortium.path("model.onnx");
    fs::write(&model, b"a model that nobody runs").expect("a writable folder");
    let enrol = |hospital: &Hospital| {
        let data = consortium.path(&format!("data-{}", hospital.name));
        // One hospital calls a column by a name of its own.
        let is_own = hospital.name == "south";
        write(&data, hospital, if is_own { "lung_nodule" } else { "nodule" });
        let site = consortium.enrol(hospital.name, &data);
        let mapped = if is_own { "attributes = { nodule = \"lung_nodule\" }\n" } else { "" };
        site.configure_also(&format!("[data_sources.columns]\nscore = \"p\"\n{mapped}"));
        site
    };
    let mut sites: Vec<Site> = hospitals.iter().map(enrol).collect();
    let (out, report) = consortium.complete("labels", &study(&model), &mut sites);
    for (site, hospital) in sites.iter().zip(hospitals) {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", site.name)));
        assert!(canaries.len() > hospital.patients.len(), "case and patient of every line");
        let outgoing = site.outgoing();
        let mut found = canaries.found_in(&outgoing);
        // Scores of three decimals may stand in any number.
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", site.name);
        let job = report["round"]["id"].as_str().expect("a round");
        let shown = site.agent(&["preview", job]);
        assert_eq!(shown.code, 0, "{}", shown.err);
        assert!(shown.out.contains("effusion") && shown.out.contains("missing"), "{}", shown.out);
    }
    let table = fs::read_to_string(out.join("tables/conditions.csv")).expect("a table");
    assert_eq!(table.lines().count(), 1 + 3 * hospitals.len());
    check_use(&report, &out);
    report
}

#[test]
fn every_condition_of_four_hospitals_is_told_as_its_tables_say() {
    let consortium = Consortium::start();
    let shares = [0.4, 0.3, 0.25];
    let hospitals = [
        // Thirty were not assessed for nodules, which is told.
        hospital(("north", 21, 240), 0.9, shares, [0, 0, 30]),
        // Five were not for a pneumothorax, which subtraction would tell: they are set aside.
        hospital(("south", 22, 240), 1.3, shares, [0, 5, 20]),
        hospital(("west", 23, 240), 1.1, shares, [0, 0, 0]),
        // Hardly anybody with a nodule.
        hospital(("small", 24, 110), 1.0, [0.4, 0.3, 0.02], [0, 0, 0]),
    ];
    let report = run(&consortium, &hospitals);

    let mut means = Vec::new();
    let mut of_effusion = Vec::new();
    let mut by_sex = Vec::new();
    for (place, hospital) in hospitals.iter().enumerate() {
        let counted = counted(hospital, (hospital.name == "south").then_some(1));
        let site = site(&report, hospital.name);
        assert_eq!(site["status"], "released");
        assert_eq!(site["n"], counted.len(), "{}", hospital.name);
        assert_eq!(site["n_pos"]["not_estimable"], "not_defined_for_task");
        let is_small = place == 3;
        by_sex.push(check_groups(&report, hospital.name, &counted, if is_small { 2 } else { 3 }));
        for condition in 0..if is_small { 2 } else { 3 } {
            check_condition(site, &counted, condition);
        }
        let logit =
            |(area, se): (f64, f64)| ((area / (1.0 - area)).ln(), se / (area * (1.0 - area)));
        let (of_one, parts) = area(&counted, 0);
        of_effusion.push(logit((of_one, parts.iter().map(|p| p * p).sum::<f64>().sqrt())));
        if is_small {
            continue;
        }
        let (mean, se) = told_macro_area(&counted);
        near(hospital.name, number(site, "/metrics/macro_auroc/estimate"), mean, 1e-9);
        near(hospital.name, number(site, "/metrics/macro_auroc/se"), se, 1e-9);
        means.push(logit((mean, se)));
    }
    check_small(&report, &hospitals[3]);
    check_set_aside(&report);
    check_pooled(&report, "macro_auroc", &means);
    check_pooled(&report, "auroc@effusion", &of_effusion);
    let nodules = &report["conditions"][2];
    let lacking = |of: &[Patient]| of.iter().filter(|p| p.reference[2].is_none()).count();
    let missing: usize = [counted(&hospitals[0], None), counted(&hospitals[1], Some(1))]
        .iter()
        .map(|of| lacking(of))
        .sum();
    assert_eq!((&nodules["sites"], &nodules["missing"]), (&3.into(), &missing.into()));
    assert_eq!(report["verdicts"][0]["result"], "met");
    assert_eq!(report["verdicts"][1]["result"], "not_met");
    // Everything of two hospitals; at a third ten women and ten men lack the reference standard of nodules.
    assert_eq!(by_sex[..3], [6, 4, 6]);
    let gaps = report["gaps"].as_array().expect("a list");
    let effusion = gaps.iter().find(|gap| gap["metric"] == "auroc@effusion").expect("a gap");
    assert!(effusion["k"].as_u64().is_some_and(|k| k >= 3), "{effusion}");
    assert!(number(effusion, "/result/p_holm") >= number(effusion, "/result/p"));
    assert!(effusion["result"]["powered"].is_boolean());
}

/// A condition of few patients stays, with the mean over all; the others are told.
fn check_small(report: &Value, hospital: &Hospital) {
    let few = hospital.patients.iter().filter(|p| p.reference[2] == Some(true)).count();
    assert!((1..11).contains(&few), "{few}");
    let small = site(report, "small");
    for key in ["n_pos", "n_neg", "missing"] {
        assert_eq!(small["conditions"][2][key]["withheld"], "S", "{key}");
    }
    for metric in ["macro_auroc", "auroc@nodule", "sensitivity@nodule-call"] {
        assert_eq!(small["metrics"][metric]["not_estimable"], "withheld", "{metric}");
    }
    let withheld = report["disclosure"]["withheld"].as_array().expect("a list");
    let is_it = |item: &&Value| item["what"]["condition"]["condition"] == "nodule";
    let sites: Vec<&Value> = withheld.iter().filter(is_it).map(|item| &item["site"]).collect();
    assert_eq!(sites, ["small"]);
}

/// Five patients are nowhere told of: neither as missing, nor as those without a reference standard.
fn check_set_aside(report: &Value) {
    let south = site(report, "south");
    assert_eq!(south["conditions"][1]["missing"], 0);
    for row in south["attrition"].as_array().expect("a list") {
        assert_eq!(row["patients"]["withheld"], "S", "{row}");
    }
}

fn check_pooled(report: &Value, metric: &str, found: &[(f64, f64)]) {
    let (mu, tau2, se) = pooled(found);
    let synthesis = &report["synthesis"][metric];
    assert_eq!((&synthesis["k"], &synthesis["scale"]), (&found.len().into(), &"logit".into()));
    near(metric, number(synthesis, "/mu"), mu, 1e-6);
    near(metric, number(synthesis, "/tau2"), tau2, 1e-6);
    // Without a spread the error is Wald's, which is not what is computed here.
    if tau2 > 1e-6 {
        near(metric, number(synthesis, "/se"), se, 1e-6);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of hundreds")]
const fn count(of: usize) -> f64 {
    of as f64
}
