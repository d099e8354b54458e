//! What a round hears of sites that cannot or will not answer, and what each site's people read.

use std::fs;

use fedval_tests::canary::{Canaries, files_below};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::small_site;

fn note(site: &Site) -> String {
    let jobs = site.agent(&["jobs", "--json"]).json();
    jobs["jobs"][0]["note"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_way_of_not_answering_is_one_word_outside_and_a_code_with_a_remedy_inside() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("it is there");
    let protocol = consortium.lock("small", &small_site::study("small", &model));
    let names = ["without-policy", "declining", "bad-manifest", "bad-model", "changed-policy"];
    let mut sites: Vec<Site> = names
        .iter()
        .map(|name| {
            let data = consortium.path(&format!("data-{name}"));
            small_site::write(&data, 40);
            consortium.enrol(name, &data)
        })
        .collect();
    let automatic: &[&str] = &[&protocol];
    sites[1].sign_policy(&[]);
    sites[2].sign_policy(automatic);
    sites[3].sign_policy(automatic);
    sites[4].sign_policy(automatic);
    let manifest = consortium.path("data-bad-manifest").join("manifest.csv");
    let broken = fs::read_to_string(&manifest)
        .expect("it is there")
        .replace("image-3.png", "../../etc/passwd");
    fs::write(manifest, broken).expect("it is there");
    let policy = sites[4].home.join("policy.toml");
    let loosened = fs::read_to_string(&policy).expect("it is there").replace("k = 11", "k = 5");
    fs::write(policy, loosened).expect("it is there");
    for site in &mut sites {
        site.run();
    }
    consortium.fedval(&["study", "dispatch", "small", "--json"]).json();
    let job = sites[1].until_job_is("offered");
    assert_eq!(sites[1].agent(&["decline", &job]).code, 0);
    consortium.until_answered("small");

    let round = consortium.status("small");
    let status = |name: &str| {
        let sites = round["sites"].as_array().expect("it is there");
        let site = sites.iter().find(|site| site["site"] == name).expect("it is there");
        site["status"].as_str().expect("it is there").to_owned()
    };
    assert_eq!(names.map(status), ["refused", "refused", "failed", "failed", "refused"]);
    assert_eq!(note(&sites[0]), "POLICY_MISSING");
    assert_eq!(note(&sites[2]), "MANIFEST_INVALID");
    assert_eq!(note(&sites[3]), "MODEL_NOT_ONNX");
    assert_eq!(note(&sites[4]), "POLICY_MISSING");

    let check = sites[2].agent(&["check", "--study", "small"]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("line 5"), "the steward is shown the line: {}", check.out);
    for (site, name) in sites.iter().zip(names) {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{name}")));
        assert_eq!(canaries.found_in(&site.outgoing()), Vec::<&str>::new(), "{name}");
        assert_eq!(site.agent(&["journal", "verify"]).code, 0);
        let ledger = site.agent(&["ledger", "show", "--json"]).json();
        assert_eq!(
            ledger["ledger"].as_array().expect("it is there").len(),
            1,
            "{name}: an answer is charged"
        );
    }
}

#[test]
fn a_report_of_a_round_that_released_nothing_says_so_and_verifies() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("it is there");
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let silent = consortium.enrol("silent", &data);
    let mut refusing = consortium.enrol("refusing", &data);
    refusing.run();
    let _protocol = consortium.lock("small", &small_site::study("small", &model));
    consortium.fedval(&["study", "dispatch", "small", "--json"]).json();
    let job = refusing.until_job_is("sent");
    assert_eq!(job, "small-r1");
    consortium.fedval(&["study", "close", "small", "--json"]).json();
    let (out, report) = consortium.report("small");
    let sites = report["sites"].as_array().expect("it is there");
    let status =
        |id: &str| sites.iter().find(|s| s["id"] == id).expect("it is there")["status"].clone();
    assert_eq!(status(&silent.name), "missing");
    assert_eq!(status("refusing"), "refused");
    assert_eq!(report["verdicts"][0]["result"], "inconclusive");
    let folder = out.to_str().expect("it is there");
    assert_eq!(consortium.fedval(&["verify", folder]).code, 0);
    let canaries = Canaries::of_site(&data);
    for (name, bytes) in files_below(&out) {
        assert_eq!(canaries.found_in(&bytes), Vec::<&str>::new(), "{name}");
    }
}
