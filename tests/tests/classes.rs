//! Hospitals that bring grades or classes of their patients: the report's numbers are those that follow from the raw
//! tables by definition, a hospital with a class of few patients says nothing, and nothing else leaves.

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

/// Patients of a hospital that is large enough.
const PATIENTS: usize = 240;

/// A patient with the reference standard's class and a score for each class.
#[derive(Debug, Clone)]
struct Patient {
    class: usize,
    scores: Vec<f64>,
}

impl Patient {
    /// The class with the highest score; of equals the lower.
    fn called(&self) -> usize {
        (0..self.scores.len()).rev().fold(self.scores.len() - 1, |best, class| {
            if self.scores[class] >= self.scores[best] { class } else { best }
        })
    }
}

/// Patients of `classes` classes, of each as many as `share` says; the model errs the more, the larger `noise` is.
fn patients(seed: u64, classes: usize, noise: f64, share: impl Fn(usize) -> f64) -> Vec<Patient> {
    let mut dice = Dice(seed);
    let cut: Vec<f64> = (0..classes)
        .scan(0.0, |sum, class| {
            *sum += share(class);
            Some(*sum)
        })
        .collect();
    (0..PATIENTS)
        .map(|_| {
            let at = dice.roll() * cut[classes - 1];
            let class = cut.iter().position(|upper| at < *upper).unwrap_or(0);
            let middle = f64::from(u32::try_from(class).expect("few"))
                + noise * (dice.roll() + dice.roll() - 1.0);
            let raw: Vec<f64> = (0..classes)
                .map(|of| {
                    let off = middle - f64::from(u32::try_from(of).expect("few"));
                    (-off * off).exp() * (0.7 + 0.6 * dice.roll())
                })
                .collect();
            let sum: f64 = raw.iter().sum();
            // Three decimals: ties are many, and no grid moves an order.
            let scores = raw.iter().map(|x| ((998.0 * x / sum).round() + 1.0) / 1000.0).collect();
            Patient { class, scores }
        })
        .collect()
}

/// What the second image of a patient says of a class: it is surely of the first one.
const fn least(class: usize) -> f64 {
    if class == 0 { 0.97 } else { 0.01 }
}

/// Every fourth patient has a second image, which says less; by the rule `maximum` it changes nothing.
fn write_grades(folder: &Path, patients: &[Patient], is_called: bool) {
    fs::create_dir_all(folder).expect("a writable folder");
    let mut table = "case_id,patient_id,".to_owned();
    let classes = patients[0].scores.len();
    if is_called {
        table.push_str("device");
    } else {
        table.push_str(&(0..classes).map(|c| format!("p_{c}")).collect::<Vec<_>>().join(","));
    }
    table.push_str(",label\n");
    let mut line = |case: String, patient: usize, scores: &[f64], called: usize, class: usize| {
        let index_test = if is_called {
            format!("grade-{called}")
        } else {
            scores.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        writeln!(table, "{case},PATIENTX{patient},{index_test},grade-{class}").expect("text");
    };
    for (index, patient) in patients.iter().enumerate() {
        if index % 4 == 0 {
            let least: Vec<f64> = (0..classes).map(least).collect();
            line(format!("CASEX{index}B"), index, &least, 0, 0);
        }
        line(format!("CASEX{index}A"), index, &patient.scores, patient.called(), patient.class);
    }
    fs::write(folder.join("manifest.csv"), table).expect("a writable folder");
}

/// A study of `classes` classes that asks for `metric`.
fn study(id: &str, model: &Path, task: &str, classes: usize, endpoint: (&str, f64)) -> String {
    let (metric, limit) = endpoint;
    let mut text = small_site::study(id, model)
        .replace(
            "[model]\n",
            &format!("task = \"{task}\"\nprediction_tables = \"accept\"\n[model]\n"),
        )
        .replace("positive = [\"1\"]\nnegative = [\"0\"]\n", "")
        .replace("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", "")
        .replace(
            "metric = \"auroc\"\nlimit = 0.8",
            &format!("metric = \"{metric}\"\nlimit = {limit}"),
        );
    if task == "ordinal" {
        text = text.replace("combine = \"mean\"", "combine = \"maximum\"");
    }
    for class in 0..classes {
        writeln!(text, "[[classes]]\nname = \"grade-{class}\"\nvalues = [\"grade-{class}\"]")
            .expect("text");
    }
    text
}

/// A round over `hospitals`, each with the key of agent.toml that names its columns, and its report.
fn round(
    consortium: &Consortium,
    id: &str,
    text: &str,
    hospitals: &[(&str, Vec<Patient>, &str)],
) -> Value {
    let mut sites: Vec<Site> = hospitals
        .iter()
        .map(|(name, patients, columns)| {
            let data = consortium.path(&format!("data-{name}"));
            write_grades(&data, patients, columns.starts_with("called"));
            let site = consortium.enrol(name, &data);
            site.configure_also(&format!("[data_sources.columns]\n{columns}\n"));
            site
        })
        .collect();
    let (_, report) = consortium.complete(id, text, &mut sites);
    for site in &sites {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", site.name)));
        assert!(canaries.len() > PATIENTS, "case and patient of every line");
        let outgoing = site.outgoing();
        // Grades are the protocol's own words.
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5 && !word.starts_with("grade-"));
        assert_eq!(found, Vec::<&str>::new(), "{}", site.name);
        check_preview(site, &report);
    }
    report
}

/// Before anything left, the steward could see it under the names of the study's classes.
fn check_preview(hospital: &Site, report: &Value) {
    let job = report["round"]["id"].as_str().expect("a round");
    let shown = hospital.agent(&["preview", job]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let is_named =
        ["called grade-1", "of grade-1"].into_iter().all(|name| shown.out.contains(name));
    let is_released = site(report, &hospital.name)["status"] == "released";
    assert_eq!(is_named, is_released, "{}", shown.out);
}

fn close(what: &str, got: f64, expected: f64) {
    near(what, got, expected, 1e-6);
}

/// Patients by class and call.
fn confusion(patients: &[Patient]) -> Vec<Vec<u64>> {
    let classes = patients[0].scores.len();
    let mut table = vec![vec![0; classes]; classes];
    for patient in patients {
        table[patient.class][patient.called()] += 1;
    }
    table
}

/// Kappa with the square of distances as weights, and its error as Fleiss, Cohen and Everitt print it.
#[expect(clippy::cast_precision_loss, reason = "counts of hundreds")]
fn kappa(table: &[Vec<u64>]) -> (f64, f64) {
    let k = table.len();
    let n = table.iter().flatten().sum::<u64>() as f64;
    let p = |i: usize, j: usize| table[i][j] as f64 / n;
    let weight = |i: usize, j: usize| 1.0 - ((i.abs_diff(j) as f64) / (k as f64 - 1.0)).powi(2);
    let row: Vec<f64> = (0..k).map(|i| (0..k).map(|j| p(i, j)).sum()).collect();
    let column: Vec<f64> = (0..k).map(|j| (0..k).map(|i| p(i, j)).sum()).collect();
    let pairs = || (0..k).flat_map(|i| (0..k).map(move |j| (i, j)));
    let po: f64 = pairs().map(|(i, j)| weight(i, j) * p(i, j)).sum();
    let pe: f64 = pairs().map(|(i, j)| weight(i, j) * row[i] * column[j]).sum();
    let of_row = |i: usize| (0..k).map(|j| weight(i, j) * column[j]).sum::<f64>();
    let of_column = |j: usize| (0..k).map(|i| weight(i, j) * row[i]).sum::<f64>();
    let squares: f64 = pairs()
        .map(|(i, j)| {
            let term = weight(i, j) * (1.0 - pe) - (of_row(i) + of_column(j)) * (1.0 - po);
            p(i, j) * term * term
        })
        .sum();
    let variance = (squares - (po * pe - 2.0 * pe + po).powi(2)) / (n * (1.0 - pe).powi(4));
    ((po - pe) / (1.0 - pe), variance.sqrt())
}

/// The mean area of each class against the rest by counting pairs, and its error from placements.
#[expect(clippy::cast_precision_loss, reason = "counts of hundreds")]
fn macro_area(patients: &[Patient]) -> (f64, f64) {
    let classes = patients[0].scores.len();
    let worth = |own: f64, other: f64| {
        if own > other {
            1.0
        } else if own < other {
            0.0
        } else {
            0.5
        }
    };
    let placements: Vec<Vec<f64>> = (0..classes)
        .map(|of| {
            let place = |patient: &Patient| {
                let others: Vec<f64> = patients
                    .iter()
                    .filter(|other| (other.class == of) != (patient.class == of))
                    .map(|other| {
                        let value = worth(patient.scores[of], other.scores[of]);
                        if patient.class == of { value } else { 1.0 - value }
                    })
                    .collect();
                others.iter().sum::<f64>() / others.len() as f64
            };
            patients.iter().map(place).collect()
        })
        .collect();
    let size = |of: usize| patients.iter().filter(|patient| patient.class == of).count() as f64;
    let n = patients.len() as f64;
    let area: Vec<f64> = (0..classes)
        .map(|of| {
            let own = patients.iter().zip(&placements[of]).filter(|(p, _)| p.class == of);
            own.map(|(_, v)| v).sum::<f64>() / size(of)
        })
        .collect();
    // The mean's error: every patient's part in all areas at once.
    let variance: f64 = patients
        .iter()
        .enumerate()
        .map(|(at, patient)| {
            let part: f64 = (0..classes)
                .map(|of| {
                    let beside = if patient.class == of { size(of) } else { n - size(of) };
                    (placements[of][at] - area[of]) / (beside * (beside - 1.0)).sqrt()
                })
                .sum();
            part * part
        })
        .sum();
    (area.iter().sum::<f64>() / classes as f64, variance.sqrt() / classes as f64)
}

#[test]
fn grades_of_three_hospitals_agree_as_their_tables_say() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"a model that nobody runs").expect("a writable folder");
    let even = |_: usize| 1.0;
    let hospitals = [
        ("north", patients(1, 4, 1.0, even), "score = \"p\""),
        ("south", patients(2, 4, 2.4, even), "score = \"p\""),
        // Grades that a device called, without scores.
        ("west", patients(3, 4, 1.6, even), "called = \"device\""),
        // Hardly anybody of the last grade.
        (
            "small",
            patients(4, 4, 1.0, |grade| if grade == 3 { 0.02 } else { 1.0 }),
            "score = \"p\"",
        ),
    ];
    let text = study("grades", &model, "ordinal", 4, ("quadratic_kappa", 0.2));
    let report = round(&consortium, "grades", &text, &hospitals);

    let few = &hospitals[3].1;
    assert!(few.iter().filter(|patient| patient.class == 3).count() < 11);
    assert_eq!(site(&report, "small")["status"], "insufficient");
    let withheld = &report["disclosure"]["withheld"][0];
    assert_eq!((&withheld["site"], &withheld["code"]), (&"small".into(), &"INSUFFICIENT".into()));
    assert!(site(&report, "small").get("classes").is_none());
    let mut found = Vec::new();
    for (name, patients, _) in &hospitals[..3] {
        let site = site(&report, name);
        let table = confusion(patients);
        assert_eq!(site["classes"]["confusion"], serde_json::json!(table), "{name}");
        let (kappa, se) = kappa(&table);
        close(name, number(site, "/metrics/quadratic_kappa/estimate"), kappa);
        close(name, number(site, "/metrics/quadratic_kappa/se"), se);
        close(
            name,
            number(site, "/metrics/quadratic_kappa/ci/0"),
            kappa - 1.959_963_984_540_054 * se,
        );
        found.push((kappa, se));
        assert_eq!(site["n"], PATIENTS);
        assert_eq!(site["n_pos"]["not_estimable"], "not_defined_for_task");
    }
    let (mu, tau2, se) = pooled(&found);
    let synthesis = &report["synthesis"]["quadratic_kappa"];
    assert_eq!((&synthesis["k"], &synthesis["scale"]), (&Value::from(3), &Value::from("identity")));
    close("pooled kappa", number(synthesis, "/estimate"), mu);
    close("tau²", number(synthesis, "/tau2"), tau2);
    close("error", number(synthesis, "/se"), se);
    assert!(tau2 > 0.0, "hospitals differ");
    let sum = |i: usize, j: usize| -> u64 {
        hospitals[..3].iter().map(|(_, patients, _)| confusion(patients)[i][j]).sum()
    };
    assert_eq!(report["classes"]["confusion"][1][2], sum(1, 2));
    assert_eq!(report["verdicts"][0]["result"], verdict(&report, 0.2));
    let shares = &report["synthesis"]["class_sensitivity@grade-3"];
    assert_eq!(shares["k"], 3);
}

#[test]
fn classes_of_three_hospitals_are_told_apart_as_their_tables_say() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"a model that nobody runs").expect("a writable folder");
    let hospitals = [
        ("north", patients(11, 3, 1.0, |_| 1.0), "score = \"p\""),
        (
            "south",
            patients(12, 3, 2.4, |class| if class == 1 { 2.0 } else { 1.0 }),
            "score = \"p\"",
        ),
        ("west", patients(13, 3, 1.6, |_| 1.0), "score = \"p\""),
    ];
    // Without an order, images of two classes give their patient none.
    let text = study("classes", &model, "multi_class", 3, ("macro_auroc", 0.99));
    let report = round(&consortium, "classes", &text, &hospitals);

    let mut found = Vec::new();
    for (name, patients, _) in &hospitals {
        let counted = counted(patients);
        let site = site(&report, name);
        assert_eq!(site["n"], counted.len());
        assert_eq!(site["classes"]["confusion"], serde_json::json!(confusion(&counted)), "{name}");
        let (area, se) = macro_area(&counted);
        close(name, number(site, "/metrics/macro_auroc/estimate"), area);
        close(name, number(site, "/metrics/macro_auroc/se"), se);
        let right = confusion(&counted)[1][1];
        let of_class: u64 = confusion(&counted)[1].iter().sum();
        let (got, path) = (site, "/metrics/class_sensitivity@grade-1/estimate");
        close(name, number(got, path) * count(of_class), count(right));
        found.push(((area / (1.0 - area)).ln(), se / (area * (1.0 - area))));
    }
    let (mu, tau2, se) = pooled(&found);
    let synthesis = &report["synthesis"]["macro_auroc"];
    assert_eq!(synthesis["scale"], "logit");
    close("pooled logit", number(synthesis, "/mu"), mu);
    close("tau²", number(synthesis, "/tau2"), tau2);
    if tau2 > 0.0 {
        close("error", number(synthesis, "/se"), se);
    }
    close("pooled area", number(synthesis, "/estimate"), 1.0 / (1.0 + (-mu).exp()));
    assert_eq!(report["verdicts"][0]["result"], verdict(&report, 0.99));
    assert!(report["synthesis"].get("auroc").is_none());
}

/// Patients whose images are of one class, each with the mean of them.
fn counted(patients: &[Patient]) -> Vec<Patient> {
    let mut counted = Vec::new();
    for (index, patient) in patients.iter().enumerate() {
        match (index % 4, patient.class) {
            (0, 0) => {
                // Four decimals, so that equal means are equal however they came about.
                let mean = |(class, score): (usize, &f64)| {
                    ((least(class) + score) * 5_000.0).round() / 10_000.0
                };
                let scores = patient.scores.iter().enumerate().map(mean).collect();
                counted.push(Patient { class: 0, scores });
            }
            // The second image is of another class: who has both has none.
            (0, _) => {}
            _ => counted.push(patient.clone()),
        }
    }
    counted
}

#[expect(clippy::cast_precision_loss, reason = "counts of hundreds")]
const fn count(of: u64) -> f64 {
    of as f64
}

/// What the pooled interval says about a limit that it should reach.
fn verdict(report: &Value, limit: f64) -> &'static str {
    let interval = &report["verdicts"][0]["interval"];
    match (number(interval, "/0") >= limit, number(interval, "/1") < limit) {
        (true, _) => "met",
        (_, true) => "not_met",
        _ => "inconclusive",
    }
}
