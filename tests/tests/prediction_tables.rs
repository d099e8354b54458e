//! Five hospitals that bring scores instead of images, held against what R's packages say of the same
//! scores (metafor, pROC, mada): oracle case `e2e_5sites`. Some of them have their scores as CSV, some as Parquet.

#[path = "../../site-agent/ingest/tests/parquet_file/mod.rs"]
mod parquet_file;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::canary::Canaries;
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::{shared, small_site};
use parquet::basic::Compression;
use parquet_file::{Cells, bytes};
use serde_json::Value;

const STUDY: &str = "scores";
const POINT: &str = "rule-in";

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {value}"))
}

/// The oracle's tolerance: absolute, or relative to what is expected.
fn close(what: &str, got: f64, expected: f64, absolute: f64) {
    let off = (got - expected).abs();
    assert!(off <= absolute + 1e-5 * expected.abs(), "{what}: got {got}, expected {expected}");
}

/// Writes a site's scores as a prediction table, with canaries in what may not leave.
fn write_table(folder: &Path, site: &Value) {
    fs::create_dir_all(folder).expect("a writable folder");
    let list = |name: &str| site[name].as_array().expect("a list").clone();
    let mut table = "case_id,patient_id,score,label,sex\n".to_owned();
    for (index, ((label, score), sex)) in
        list("y").iter().zip(list("p")).zip(list("group")).enumerate()
    {
        let sex = sex.as_str().expect("text");
        writeln!(table, "CASEX{index},PATIENTX{index},{score},{label},{sex}").expect("text");
    }
    fs::write(folder.join("manifest.csv"), table).expect("a writable folder");
}

/// The same table as Parquet, with numbers where they are numbers.
fn write_parquet(folder: &Path, site: &Value) {
    let list = |name: &str| site[name].as_array().expect("a list").clone();
    let labels: Vec<Option<i64>> = list("y").iter().map(Value::as_i64).collect();
    let named =
        |name: &str| Cells::Text((0..labels.len()).map(|at| Some(format!("{name}{at}"))).collect());
    let sex = list("group").iter().map(|sex| sex.as_str().map(str::to_owned)).collect();
    let columns = [
        ("case_id", named("CASEX")),
        ("patient_id", named("PATIENTX")),
        ("score", Cells::Numbers(list("p").iter().map(Value::as_f64).collect())),
        ("label", Cells::Integers(labels.clone())),
        ("sex", Cells::Text(sex)),
    ];
    assert!(labels.iter().all(Option::is_some), "a label is 0 or 1");
    let table = bytes(&columns, Compression::SNAPPY, 150);
    fs::write(folder.join("manifest.parquet"), table).expect("a writable folder");
}

/// Which scores count, at which cut-off.
fn study(model: &Path, threshold: f64) -> String {
    small_site::study(STUDY, model)
        .replace("[model]\n", "prediction_tables = \"accept\"\n[model]\n")
        .replace(
            "name = \"half\"\nthreshold = 0.5",
            &format!("name = \"{POINT}\"\nthreshold = {threshold}"),
        )
        + "[[subgroups]]\ndimension = \"sex\"\ncolumn = \"sex\"\ncategories = [\n  \
           { name = \"female\", values = [\"F\"] },\n  { name = \"male\", values = [\"M\"] },\n]\n"
}

#[test]
fn five_sites_with_prediction_tables_give_the_numbers_of_the_oracle() {
    let Some(folder) = shared::folder("oracles/public") else { return };
    let oracle = fs::read(folder.join("e2e_5sites.json")).expect("an oracle");
    let oracle: Value = serde_json::from_slice(&oracle).expect("JSON");
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"a model that nobody runs").expect("a writable folder");
    let mut sites: Vec<Site> = oracle["input"]["sites"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|site| enrol(&consortium, site))
        .collect();
    let protocol = consortium.lock(STUDY, &study(&model, number(&oracle, "/input/threshold")));
    for site in &mut sites {
        site.sign_policy(&[&protocol]);
        site.run();
    }
    consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json();
    consortium.until_answered(STUDY);
    consortium.fedval(&["study", "close", STUDY, "--json"]).json();
    let (out, report) = consortium.report(STUDY);

    let expected = &oracle["expected"];
    for site in expected["per_site"].as_array().expect("a list") {
        check_site(&report, site);
    }
    check_synthesis(&report["synthesis"]["auroc"], &expected["auc"]);
    check_synthesis(&report["synthesis"]["oe_ratio"], &expected["oe"]);
    check_synthesis(&report["synthesis"]["calibration_slope"], &expected["slope"]);
    let joint = &report["operating_points"][0]["joint"];
    assert_eq!(joint["k"], 5);
    for (mine, theirs) in [("/sensitivity/estimate", "/sens"), ("/specificity/estimate", "/spec")] {
        close(mine, number(joint, mine), number(&expected["bivariate"], theirs), 2e-4);
    }
    check_marks(&report);
    let folder = out.to_str().expect("a plain path");
    assert_eq!(consortium.fedval(&["verify", folder]).code, 0);
    for site in &sites {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", site.name)));
        assert!(canaries.len() > 200, "case, patient and score of every line");
        let mut found = canaries.found_in(&site.outgoing());
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", site.name);
    }
}

fn enrol(consortium: &Consortium, site: &Value) -> Site {
    let name = site["site"].as_str().expect("text");
    let data = consortium.path(&format!("data-{name}"));
    write_table(&data, site);
    write_parquet(&data, site);
    let site = consortium.enrol(name, &data);
    site.configure_also("[data_sources.columns]\nscore = \"score\"\n");
    // The oracle does not know which file a site has.
    if ["site1", "site3"].contains(&name) {
        site.reconfigure("/manifest.csv", "/manifest.parquet");
    }
    site
}

fn check_site(report: &Value, expected: &Value) {
    let name = expected["site"].as_str().expect("text");
    let sites = report["sites"].as_array().expect("a list");
    let site = sites.iter().find(|site| site["id"] == name).expect("the site");
    assert_eq!(
        (&site["n_pos"], &site["n_neg"]),
        (&expected["n_pos"], &expected["n_neg"]),
        "{name}"
    );
    let point = &site["operating_points"][0];
    for (mine, theirs) in [("tp", "TP"), ("fn", "FN"), ("fp", "FP"), ("tn", "TN")] {
        assert_eq!(point[mine], expected[theirs], "{name} {mine}");
    }
    let metrics = &site["metrics"];
    let of = |metric: &str, path: &str| number(&metrics[metric], path);
    let (sensitivity, specificity) =
        (format!("sensitivity@{POINT}"), format!("specificity@{POINT}"));
    for (got, path) in [
        (of(&sensitivity, "/estimate"), "/sens"),
        (of(&sensitivity, "/ci/0"), "/ci_sens/0"),
        (of(&sensitivity, "/ci/1"), "/ci_sens/1"),
        (of(&specificity, "/estimate"), "/spec"),
        (of(&specificity, "/ci/0"), "/ci_spec/0"),
        (of(&specificity, "/ci/1"), "/ci_spec/1"),
        (of("oe_ratio", "/estimate"), "/oe"),
        (of("brier", "/estimate"), "/brier"),
        (of("auroc", "/estimate"), "/auc"),
        (of("auroc", "/se").powi(2), "/delong_var"),
        (of("calibration_slope", "/estimate"), "/cal_slope"),
        (of("calibration_slope", "/se"), "/cal_slope_se"),
        (number(site, "/calibration_line/intercept"), "/cal_intercept"),
    ] {
        close(&format!("{name}{path}"), got, number(expected, path), 1e-6);
    }
}

/// Ours stand on the metric's own scale, beside mean, error and τ² on the analysis scale.
fn check_synthesis(got: &Value, expected: &Value) {
    assert_eq!(got["k"], expected["k"]);
    for (mine, theirs, scale) in [
        ("/mu", "/estimate", 1.0),
        ("/se", "/se", 1.0),
        ("/tau2", "/tau2", 1.0),
        ("/i2_from_tau2", "/I2_percent", 100.0),
        ("/q", "/Q", 1.0),
        ("/q_p", "/Q_p", 1.0),
        ("/estimate", "/back", 1.0),
        ("/ci/0", "/back_ci/0", 1.0),
        ("/ci/1", "/back_ci/1", 1.0),
        ("/prediction_interval/0", "/back_pi/0", 1.0),
        ("/prediction_interval/1", "/back_pi/1", 1.0),
    ] {
        close(theirs, scale * number(got, mine), number(expected, theirs), 1e-6);
    }
}

/// Nobody can take such sites for ones that ran the model.
fn check_marks(report: &Value) {
    let sites = report["sites"].as_array().expect("a list");
    assert!(sites.iter().all(|site| site["scores"] == "prediction_table"));
    let limits = report["limits"].to_string();
    assert!(limits.contains("Scores of site1, site2, site3, site4, site5 were made elsewhere"));
}
