//! Hospitals that bring a model's estimates of a quantity: the report's numbers are those of the raw tables within the
//! rounding that hides one patient, a hospital with few patients says nothing, and no single value leaves.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::by_definition::{mean_and_sd, pooled, step};
use fedval_tests::canary::{Canaries, stands_in, without_clock};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use serde_json::Value;

/// Patients of a hospital that is large enough.
const PATIENTS: usize = 240;

/// One image: what the reference standard and what the model says, in months.
#[derive(Debug, Clone, Copy)]
struct Image {
    reference: f64,
    prediction: f64,
}

#[derive(Debug, Clone)]
struct Patient {
    female: bool,
    images: Vec<Image>,
}

impl Patient {
    /// The mean error of the images, each value held to 0 to 228 months, and the whole to four years.
    fn error(&self) -> f64 {
        let clip = |value: f64| value.clamp(0.0, 228.0);
        let sum: f64 =
            self.images.iter().map(|image| clip(image.prediction) - clip(image.reference)).sum();
        (sum / f64::from(u32::try_from(self.images.len()).expect("few"))).clamp(-48.0, 48.0)
    }
}

/// Three decimals, so that a value is a word that nobody else writes.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Patients whom the model takes for older by `bias` months; every fourth has two images, and one in twenty an estimate
/// beyond all bounds.
fn patients(seed: u64, count: usize, bias: f64) -> Vec<Patient> {
    let mut dice = Dice(seed);
    (0..count)
        .map(|index| {
            let female = index % 5 < 2;
            let images = (0..if index % 4 == 0 { 2 } else { 1 })
                .map(|_| {
                    let reference = rounded(40.0 + 150.0 * dice.roll());
                    let noise = 12.0 * (dice.roll() + dice.roll() - 1.0);
                    let prediction = rounded(reference + bias + noise);
                    // Of both sexes, and with one image.
                    let is_wild = matches!(index % 40, 15 | 38);
                    Image { reference, prediction: if is_wild { 9_871.625 } else { prediction } }
                })
                .collect();
            Patient { female, images }
        })
        .collect()
}

fn write(folder: &Path, patients: &[Patient]) {
    fs::create_dir_all(folder).expect("a writable folder");
    let mut table = "case_id,patient_id,months,label,sex\n".to_owned();
    for (index, patient) in patients.iter().enumerate() {
        let sex = if patient.female { "F" } else { "M" };
        for (image, Image { reference, prediction }) in patient.images.iter().enumerate() {
            writeln!(table, "CASEX{index}I{image},PATIENTX{index},{prediction},{reference},{sex}")
                .expect("text");
        }
    }
    fs::write(folder.join("manifest.csv"), table).expect("a writable folder");
}

fn study(model: &Path, limit: f64) -> String {
    let mut text = small_site::study("bone-age", model);
    for (what, with) in [
        (
            "[model]\n",
            "task = \"regression\"\nprediction_tables = \"accept\"\n[model]\n".to_owned(),
        ),
        ("scale = \"probability\"\n", String::new()),
        ("positive = [\"1\"]\nnegative = [\"0\"]\n", String::new()),
        ("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", String::new()),
        (
            "metric = \"auroc\"\nlimit = 0.8",
            format!("metric = \"mean_absolute_error\"\nlimit = {limit}\ndirection = \"at_most\""),
        ),
    ] {
        assert!(text.contains(what), "{what}");
        text = text.replace(what, &with);
    }
    text + "[[subgroups]]\ndimension = \"sex\"\ncolumn = \"sex\"\ncategories = [\n\
            { name = \"female\", values = [\"F\"] },\n{ name = \"male\", values = [\"M\"] },\n]\n\
            [quantity]\nname = \"bone-age\"\nunit = \"mo\"\nlower = 0\nupper = 228\n\
            largest_error = 48\ngrid = 0.1\n"
}

/// A round over `hospitals`, and its report.
fn round(consortium: &Consortium, text: &str, hospitals: &[(&str, Vec<Patient>)]) -> Value {
    let mut sites: Vec<Site> = hospitals
        .iter()
        .map(|(name, patients)| {
            let data = consortium.path(&format!("data-{name}"));
            write(&data, patients);
            let site = consortium.enrol(name, &data);
            site.configure_also("[data_sources.columns]\nscore = \"months\"\n");
            site
        })
        .collect();
    let (_, report) = consortium.complete("bone-age", text, &mut sites);
    for (site, (_, patients)) in sites.iter().zip(hospitals) {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", site.name)));
        let outgoing = site.outgoing();
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", site.name);
        let told = without_clock(&outgoing);
        for image in patients.iter().flat_map(|patient| &patient.images) {
            let word = image.reference.to_string();
            let is_telling = word.len() > 5;
            assert!(!is_telling || !stands_in(&word, &told), "{}: {word} left", site.name);
        }
        check_preview(site, &report);
    }
    report
}

/// Before anything left, the steward could see it in the quantity's unit.
fn check_preview(hospital: &Site, report: &Value) {
    let job = report["round"]["id"].as_str().expect("a round");
    let shown = hospital.agent(&["preview", job]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let is_shown = shown.out.contains("absolute_error: mean") && shown.out.contains("in mo");
    let is_released = site(report, &hospital.name)["status"] == "released";
    assert_eq!(is_shown, is_released, "{}", shown.out);
}

#[test]
fn errors_of_three_hospitals_are_those_of_their_tables() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"a model that nobody runs").expect("a writable folder");
    let hospitals = [
        ("north", patients(1, PATIENTS, 1.0)),
        ("south", patients(2, PATIENTS, 12.0)),
        ("west", patients(3, PATIENTS, -6.0)),
        ("small", patients(4, 20, 1.0)),
    ];
    let report = round(&consortium, &study(&model, 47.0), &hospitals);

    assert_eq!(site(&report, "small")["status"], "insufficient");
    assert!(site(&report, "small").get("measures").is_none());
    assert_eq!(report["quantity"]["unit"], "mo");
    let mut found = Vec::new();
    for (name, patients) in &hospitals[..3] {
        let site = site(&report, name);
        check_group(name, &site["metrics"], patients);
        assert_eq!(
            (&site["n"], &site["patients"]),
            (&Value::from(PATIENTS), &Value::from(PATIENTS))
        );
        assert_eq!(site["n_pos"]["not_estimable"], "not_defined_for_task");
        let mae = "/metrics/mean_absolute_error";
        found.push((number(site, &format!("{mae}/estimate")), number(site, &format!("{mae}/se"))));
        for group in report["subgroups"].as_array().expect("a list") {
            let is_female = group["category"] == "female";
            let of: Vec<Patient> =
                patients.iter().filter(|of| of.female == is_female).cloned().collect();
            let cells = group["sites"].as_array().expect("a list");
            let cell = cells.iter().find(|cell| cell["site"] == *name).expect("the site");
            assert_eq!(cell["performance"]["patients"], of.len());
            check_group(name, &cell["performance"]["metrics"], &of);
        }
    }
    let (mu, tau2, se) = pooled(&found);
    let synthesis = &report["synthesis"]["mean_absolute_error"];
    assert_eq!((&synthesis["k"], &synthesis["scale"]), (&Value::from(3), &Value::from("identity")));
    near("pooled error", number(synthesis, "/estimate"), mu, 1e-5);
    near("tau²", number(synthesis, "/tau2"), tau2, 1e-4 * tau2.max(1.0));
    near("its error", number(synthesis, "/se"), se, 1e-5);
    assert!(tau2 > 0.0, "hospitals differ");
    let verdict = &report["verdicts"][0];
    assert_eq!(verdict["worst_site"]["site"], "south", "the larger an error, the worse");
    let upper = number(verdict, "/interval/1");
    let expected = if upper <= 47.0 { "met" } else { "inconclusive" };
    assert_eq!(verdict["result"], expected);
    assert!(report["synthesis"].get("auroc").is_none());
}

/// Mean absolute error and bias with their errors, within the rounding of mean and spread.
fn check_group(name: &str, metrics: &Value, patients: &[Patient]) {
    let n = f64::from(u32::try_from(patients.len()).expect("few"));
    let errors: Vec<f64> = patients.iter().map(Patient::error).collect();
    let sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    assert!(sizes.iter().any(|size| (size - 48.0).abs() < 1e-9), "some errors are cut off");
    for (id, values, room) in [("mean_absolute_error", &sizes, 48.0), ("mean_error", &errors, 96.0)]
    {
        let ((mean, sd), step) = (mean_and_sd(values), step(room, patients.len(), 0.1));
        near(name, number(metrics, &format!("/{id}/estimate")), mean, step / 2.0 + 1e-6);
        let se = (sd * sd / n + step * step / 12.0).sqrt();
        near(name, number(metrics, &format!("/{id}/se")), se, 0.06 * se);
    }
}
