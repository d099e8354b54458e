//! Disclosure control where it counts: real agents on real radiographs, and a site that forgot what it
//! told.

use std::fs;

use fedval_tests::canary::{Canaries, files_below};
use fedval_tests::consortium::{Consortium, Site, until};
use fedval_tests::{shared, small_site};
use serde_json::Value;

fn sign(site: &Site, policy: &str, protocol: &str) {
    let text = format!(
        "{policy}\nk = 11\nrun_without_approval = [{protocol:?}]\n\
         release_without_steward = [{protocol:?}]\n"
    );
    fs::write(site.home.join("policy.toml"), text).expect("a writable folder");
    assert_eq!(site.agent(&["policy", "sign"]).code, 0);
}

fn site_of<'r>(report: &'r Value, name: &str) -> &'r Value {
    let sites = report["sites"].as_array().expect("a list");
    sites.iter().find(|site| site["id"] == name).expect("it is there")
}

#[test]
fn sites_of_three_profiles_make_one_report_and_no_canary_leaves_any_of_them() {
    let Some(data) = shared::folder("data/cxr") else { return };
    let consortium = Consortium::start();
    let names = ["nih-a", "nih-b", "nih-c"];
    let mut sites: Vec<Site> =
        names.iter().map(|name| consortium.enrol(name, &data.join(name))).collect();
    let study = small_site::image_study("cxr", &data.join("pneumonia.onnx"), 256);
    let protocol = consortium.lock("cxr", &study);
    let profiles = ["profile = \"strict\"", "profile = \"dp\"", "profile = \"acro\""];
    for (site, policy) in sites.iter_mut().zip(profiles) {
        sign(site, policy, &protocol);
        site.run();
    }
    consortium.fedval(&["study", "dispatch", "cxr", "--json"]).json();
    consortium.until_answered("cxr");
    consortium.fedval(&["study", "close", "cxr", "--json"]).json();
    let (out, report) = consortium.report("cxr");
    assert_eq!(consortium.fedval(&["verify", out.to_str().expect("text")]).code, 0);

    let strict = site_of(&report, "nih-a");
    for count in ["/n_pos", "/n_neg", "/operating_points/0/tp", "/operating_points/0/fp"] {
        let count = strict.pointer(count).and_then(Value::as_u64).expect("a count");
        assert!(count.is_multiple_of(5), "{count} is not rounded");
    }
    assert_eq!(strict["disclosure"]["terms"]["rounding_base"], 5);
    assert_eq!(strict["metrics"]["brier"]["method"], "mean_on_grid");
    let noisy = site_of(&report, "nih-b");
    assert_eq!(noisy["disclosure"]["terms"]["noise_rho_micro"], 50_000);
    assert_eq!(noisy["operating_points"][0]["tp"]["withheld"], "S");
    let limits = report["limits"][0].as_str().expect("text");
    assert!(limits.contains("only some sites of this study use it"), "{limits}");
    assert_eq!(site_of(&report, "nih-c")["disclosure"]["terms"]["zeros_withheld"], true);

    for (site, name) in sites.iter().zip(names) {
        let canaries = Canaries::of_site(&data.join(name));
        assert!(!canaries.is_empty());
        assert_eq!(canaries.found_in(&site.outgoing()), Vec::<&str>::new(), "{name}");
        for (file, bytes) in files_below(&out) {
            assert_eq!(canaries.found_in(&bytes), Vec::<&str>::new(), "{name} in {file}");
        }
        let ledger = site.agent(&["ledger", "show", "--json"]).json();
        assert!(ledger["ledger"][0]["patients"].as_u64().is_some_and(|n| n > 20), "{ledger}");
    }
    let privacy = sites[1].agent(&["ledger", "show", "--json"]).json();
    assert_eq!(privacy["ledger"][0]["rho_micro"], 50_000);
}

#[test]
fn f22_a_site_that_was_restored_from_an_old_backup_releases_nothing_until_a_steward_accepts() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("a writable folder");
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let mut site = consortium.enrol("forgetful", &data);
    let first = consortium.lock("first", &small_site::study("first", &model));
    let second = consortium.lock("second", &small_site::study("second", &model));
    site.sign_policy(&[&first, &second]);
    site.run();
    consortium.fedval(&["study", "dispatch", "first", "--json"]).json();
    until("the offer is there", || {
        let jobs = site.agent(&["jobs", "--json"]).json();
        (!jobs["jobs"].as_array()?.is_empty()).then_some(())
    });
    consortium.until_answered("first");
    site.kill();
    // Last week's vault: as it was before the first answer.
    for name in ["vault.db", "vault.db-wal", "vault.db-shm"] {
        drop(fs::remove_file(site.home.join(name)));
    }
    site.run();
    consortium.fedval(&["study", "dispatch", "second", "--json"]).json();
    let delay = until("somebody is told", || {
        let jobs = site.agent(&["jobs", "--json"]).json();
        jobs["jobs"].as_array()?.last()?["delay"].as_str().map(str::to_owned)
    });
    assert_eq!(delay, "LEDGER_ROLLED_BACK");
    assert_eq!(site.until_job_is("awaiting_release"), "second-r1");
    let accepted = site.agent(&["ledger", "accept", "--by", "ada", "--json"]).json();
    assert_eq!((&accepted["missing"], &accepted["approver"]), (&1.into(), &"ada".into()));
    consortium.until_answered("second");
    assert_eq!(site.agent(&["journal", "verify"]).code, 0);
}
