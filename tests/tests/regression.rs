//! Hospitals that bring a model's estimates of a quantity: the report's numbers are those of the raw tables within the
//! rounding that hides one patient, a hospital with few patients says nothing, and no single value leaves.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::canary::Canaries;
use fedval_tests::consortium::{Consortium, Site};
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

/// Uniform numbers of a linear congruential generator (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).expect("32 bits")) / 4_294_967_296.0
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
    let protocol = consortium.lock("bone-age", text);
    for site in &mut sites {
        site.sign_policy(&[&protocol]);
        site.run();
    }
    consortium.fedval(&["study", "dispatch", "bone-age", "--json"]).json();
    consortium.until_answered("bone-age");
    consortium.fedval(&["study", "close", "bone-age", "--json"]).json();
    let (out, report) = consortium.report("bone-age");
    let verified = consortium.fedval(&["verify", out.to_str().expect("a plain path")]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    for (site, (_, patients)) in sites.iter().zip(hospitals) {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", site.name)));
        let outgoing = site.outgoing();
        // A number below 60 may stand in a time of day by chance, as seconds and their thousandths.
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > "59.999".len());
        assert_eq!(found, Vec::<&str>::new(), "{}", site.name);
        for image in patients.iter().flat_map(|patient| &patient.images) {
            let word = image.reference.to_string();
            let is_sent = outgoing.windows(word.len()).any(|sent| sent == word.as_bytes());
            let is_telling = word.len() > "59.999".len();
            assert!(!is_telling || !is_sent, "{}: a reference standard left", site.name);
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

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {value}"))
}

fn near(what: &str, got: f64, expected: f64, room: f64) {
    assert!((got - expected).abs() <= room, "{what}: got {got}, expected {expected}");
}

fn site<'r>(report: &'r Value, name: &str) -> &'r Value {
    let sites = report["sites"].as_array().expect("a list");
    sites.iter().find(|site| site["id"] == name).expect("the site")
}

#[expect(clippy::cast_precision_loss, reason = "counts of hundreds")]
fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// The finest of 1, 2 and 5 times a power of ten, from 0.1 on, that is no finer than one patient's share of `room`.
fn step(room: f64, patients: usize) -> f64 {
    let share = room / f64::from(u32::try_from(patients).expect("few"));
    let steps = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
    steps.into_iter().find(|step| *step >= share).expect("enough patients")
}

/// Mean, τ² and Hartung–Knapp error of a random-effects model, by search for the highest restricted likelihood.
#[expect(clippy::cast_precision_loss, reason = "three sites")]
fn pooled(found: &[(f64, f64)]) -> (f64, f64, f64) {
    let weights = |tau2: f64| found.iter().map(move |(_, se)| 1.0 / (se * se + tau2));
    let mean = |tau2: f64| {
        let sum: f64 = weights(tau2).sum();
        found.iter().zip(weights(tau2)).map(|((y, _), w)| w * y).sum::<f64>() / sum
    };
    let squares = |tau2: f64| -> f64 {
        let mu = mean(tau2);
        found.iter().zip(weights(tau2)).map(|((y, _), w)| w * (y - mu).powi(2)).sum()
    };
    let likelihood = |tau2: f64| {
        let logs: f64 = weights(tau2).map(f64::ln).sum();
        f64::midpoint(logs - weights(tau2).sum::<f64>().ln(), -squares(tau2))
    };
    let (mut low, mut high) = (0.0, 1000.0);
    for _ in 0..300 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if likelihood(left) < likelihood(right) { low = left } else { high = right }
    }
    let tau2 = f64::midpoint(low, high);
    let spread = squares(tau2) / (found.len() as f64 - 1.0);
    (mean(tau2), tau2, (spread / weights(tau2).sum::<f64>()).sqrt())
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
        let ((mean, sd), step) = (mean_and_sd(values), step(room, patients.len()));
        near(name, number(metrics, &format!("/{id}/estimate")), mean, step / 2.0 + 1e-6);
        let se = (sd * sd / n + step * step / 12.0).sqrt();
        near(name, number(metrics, &format!("/{id}/se")), se, 0.06 * se);
    }
}
