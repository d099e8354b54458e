//! Real radiographs, a real model, four sites: from dispatch to a verified report.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fedval_ingest::{ColumnMapping, ManifestSource, read_manifest};
use fedval_study::protocol::{Labels, OutputForm, ReferenceStandard, Task};
use fedval_tests::canary::{Canaries, files_below};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::{shared, small_site};
use fedval_vault::{CaseOutcome, Vault};
use serde_json::Value;

const SITES: [&str; 4] = ["nih-a", "nih-b", "nih-c", "figure1"];
/// Asks its steward for approval and release.
const MANUAL: &str = "nih-b";

/// What the study asks beyond discrimination on average.
const MORE_ENDPOINTS: &str = r#"
[[endpoints]]
name = "new-hospital"
metric = "auroc"
limit = 0.8
basis = "new_site"
[[endpoints]]
name = "specificity"
metric = "specificity@half"
limit = 0.7
"#;

struct Round {
    consortium: Consortium,
    sites: Vec<Site>,
    report: Value,
    out: std::path::PathBuf,
}

/// The whole way, as four hospitals and an operator walk it.
fn walk(data: &Path) -> Round {
    let consortium = Consortium::start();
    let mut sites: Vec<Site> =
        SITES.iter().map(|name| consortium.enrol(name, &data.join(name))).collect();
    let study = small_site::image_study("cxr", &data.join("pneumonia.onnx"), 256)
        .replace("[model]\n", "preprocessing_probes = \"require\"\n[model]\n");
    let protocol = consortium.lock("cxr", &(study + MORE_ENDPOINTS));
    let automatic: &[&str] = &[&protocol];
    for site in &mut sites {
        site.sign_policy_of(if site.name == MANUAL { &[] } else { automatic }, &[]);
        site.run();
    }
    consortium.fedval(&["study", "dispatch", "cxr", "--json"]).json();
    let steward = sites.iter().find(|site| site.name == MANUAL).expect("a manual site");
    let job = steward.until_job_is("offered");
    assert_eq!(steward.agent(&["approve", &job]).code, 0);
    // Scores stay on a site's disk only until its result is acknowledged: read them before.
    for site in &sites {
        site.until_job_is("awaiting_release");
        check_scores(site, data);
    }
    let preview = steward.agent(&["preview", &job, "--json"]).json();
    let digest = preview["digest"].as_str().expect("text");
    assert_eq!(steward.agent(&["release", &job, "--digest", digest]).code, 0);
    for site in sites.iter().filter(|site| site.name != MANUAL) {
        site.sign_policy(automatic);
    }
    consortium.until_answered("cxr");
    consortium.fedval(&["study", "close", "cxr", "--json"]).json();
    let (out, report) = consortium.report("cxr");
    Round { consortium, sites, report, out }
}

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {value}"))
}

fn close(what: &str, got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{what}: got {got}, expected {expected}");
}

#[test]
fn four_hospitals_of_real_radiographs_give_the_known_answers_and_nothing_else_leaves() {
    let Some(data) = shared::folder("data/cxr") else { return };
    let expected = expected(&data);
    let round = walk(&data);
    check_sites(&round, &expected);
    check_synthesis(&round.report, &expected);
    check_preprocessing(&round);
    check_egress(&round, &data);
    check_verification(&round);
}

fn check_sites(round: &Round, expected: &Value) {
    for site in expected["sites"].as_array().expect("a list") {
        let name = site["site"].as_str().expect("text");
        let found =
            round.report["sites"].as_array().expect("a list").iter().find(|s| s["id"] == name);
        let found = found.unwrap_or_else(|| panic!("{name} is in the report"));
        if name == "figure1" {
            assert_eq!(found["status"], "insufficient");
            assert!(
                found.get("metrics").is_none_or(|m| m.is_null() || m == &serde_json::json!({}))
            );
            continue;
        }
        assert_eq!(found["status"], "released", "{name}");
        assert_eq!(found["n"], site["n"]);
        assert_eq!(found["patients"], site["patients"]);
        let point = &found["operating_points"][0];
        for count in ["tp", "fn", "fp", "tn"] {
            assert_eq!(point[count], site["at_0_5"][count], "{name} {count}");
        }
        let auroc = &site["auroc"];
        let metric = |path: &str| number(found, &format!("/metrics/{path}"));
        close(name, metric("auroc/estimate"), number(auroc, "/auc"), 2e-4);
        close(name, metric("auroc/se"), number(auroc, "/patient_clustered_se_obuchowski"), 1e-3);
        close(name, metric("auroc_delong/se"), number(auroc, "/delong_se"), 1e-3);
    }
}

/// Every result that rests on images carries what became of the probe images, which is the same at every site.
fn check_preprocessing(round: &Round) {
    let read = |path: &str| -> Value {
        let bytes = fs::read(round.out.join(path)).expect("a part");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let released: Vec<&Value> = round.report["sites"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|site| site["status"] == "released")
        .collect();
    assert_eq!(released.len(), 3);
    let of = |site: &Value| {
        let name = site["id"].as_str().expect("text");
        read(&format!("evidence/sites/{name}.json"))["header"]["preprocessing"].clone()
    };
    let first = of(released[0]);
    assert_eq!(first.as_object().expect("probes").len(), 9);
    for site in &released {
        assert_eq!(of(site), first, "{}", site["id"]);
        assert_eq!(site["preprocessing"], released[0]["preprocessing"]);
        assert!(site["preprocessing"].is_string());
    }
    let page = fs::read_to_string(round.out.join("report.html")).expect("a page");
    assert!(page.contains("synthetic probe images came out as the protocol says"));
}

fn check_synthesis(report: &Value, expected: &Value) {
    for (metric, kind) in [("auroc", "patient_clustered"), ("auroc_delong", "delong")] {
        let want = &expected["synthesis"][kind];
        let got = &report["synthesis"][metric];
        assert_eq!(got["k"], want["k"]);
        for (mine, theirs) in [
            ("/estimate", "/estimate"),
            ("/ci/0", "/ci/0"),
            ("/ci/1", "/ci/1"),
            ("/tau2", "/tau2"),
            ("/q_p", "/q_p"),
            ("/prediction_interval/0", "/prediction_interval/0"),
            ("/prediction_interval/1", "/prediction_interval/1"),
        ] {
            close(&format!("{metric}{mine}"), number(got, mine), number(want, theirs), 1e-3);
        }
        close("i2", number(got, "/i2") * 100.0, number(want, "/i2_from_tau2_percent"), 0.1);
        close("q", number(got, "/q"), number(want, "/q"), 1e-2);
    }
}

/// Every score, read from the site's own disk: they are nowhere else.
fn check_scores(site: &Site, data: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let standard = ReferenceStandard {
        description: String::new(),
        positive: vec!["1".to_owned()],
        negative: vec!["0".to_owned()],
    };
    let labels = Labels {
        task: &Task::Binary,
        standard: &standard,
        takes_folders: false,
        form: OutputForm::Scores,
    };
    let folder = data.join(&site.name);
    let source = ManifestSource {
        manifest: folder.join("manifest.csv"),
        root: folder,
        columns: ColumnMapping::default(),
    };
    let cohort = read_manifest(&source, labels, &[]).expect("a readable manifest");
    let cohort = cohort.open_on_site();
    let checkpoints = runtime.block_on(async {
        let vault = Vault::open(&site.home.join("vault.db")).await.expect("a vault");
        vault.checkpoint_list(&"cxr-r1".parse().expect("a round")).await.expect("checkpoints")
    });
    let checkpoints = checkpoints.open_on_site();
    assert_eq!(checkpoints.len(), cohort.len());
    let expected = expected(data);
    let all = expected["sites"].as_array().expect("a list");
    let wanted = all.iter().find(|s| s["site"] == site.name.as_str()).expect("the site's answers");
    for (index, checkpoint) in checkpoints {
        let CaseOutcome::Score(bits) = checkpoint.outcome else { panic!("a case failed") };
        let id = cohort.case_id(*index).expect("a case");
        let want = wanted["scores"][id].as_f64().expect("a number");
        close("score", f64::from_bits(bits), want, 1e-4);
    }
}

/// The known answers.
fn expected(data: &Path) -> Value {
    let text = fs::read(data.join("expected.json")).expect("the known answers");
    serde_json::from_slice(&text).expect("JSON")
}

fn check_egress(round: &Round, data: &Path) {
    let mut everyone = Canaries::default();
    for site in &round.sites {
        let canaries = Canaries::of_site(&data.join(&site.name));
        let outgoing = site.outgoing();
        assert!(outgoing.len() > 1000, "the recorder saw what {} sent", site.name);
        assert_eq!(canaries.found_in(&outgoing), Vec::<&str>::new(), "{} let out", site.name);
        everyone.extend(canaries);
    }
    assert!(everyone.len() > 500);
    assert_eq!(everyone.found_in(&round.consortium.log()), Vec::<&str>::new());
    for (name, bytes) in files_below(&round.consortium.home()) {
        assert_eq!(everyone.found_in(&bytes), Vec::<&str>::new(), "{name}");
    }
    for (name, bytes) in files_below(&round.out) {
        assert_eq!(everyone.found_in(&bytes), Vec::<&str>::new(), "{name}");
    }
    // The recorder can find something: the study's id is in every result.
    assert!(round.sites.iter().all(|site| site.outgoing().windows(6).any(|w| w == b"cxr-r1")));
}

/// The package holds, and does not once one digit of any of its parts is another.
fn check_verification(round: &Round) {
    let out = round.out.to_str().expect("a plain path");
    assert_eq!(round.consortium.fedval(&["verify", out, "--json"]).json()["holds"], true);
    let alterations: BTreeMap<&str, (&str, &str)> = BTreeMap::from([
        ("report.json", ("\"estimate\":0.8", "\"estimate\":0.9")),
        ("evidence/sites/nih-a.json", ("\"tp\":71", "\"tp\":72")),
        ("evidence/protocol.json", ("\"digest\":\"", "\"digest\":\"0")),
    ]);
    for (part, (from, to)) in alterations {
        let path = round.out.join(part);
        let original = fs::read_to_string(&path).expect("a part");
        let altered = original.replacen(from, to, 1);
        assert_ne!(original, altered, "{part} holds {from}");
        fs::write(&path, altered).expect("a writable part");
        let answer = round.consortium.fedval(&["verify", out]);
        assert_eq!(answer.code, 1, "{part}");
        let stem = part.trim_start_matches("evidence/").trim_start_matches("sites/");
        let stem = stem.trim_end_matches(".json");
        assert!(answer.err.contains(stem), "{part} is named: {}", answer.err);
        fs::write(&path, original).expect("a writable part");
    }
}
