//! The coordinator's log with real processes: agents follow and sign it, and a history that is told anew shows
//! at every hospital that knew the old one.

use std::fs;
use std::path::Path;

use fedval_ambient::{Clock as _, SystemClock};
use fedval_study::{Canonical, LogCheckpoint};
use fedval_tests::consortium::{Consortium, Site, until};
use fedval_tests::{folder, small_site};
use fedval_trust::{Certificate, PayloadType, Role, SignedDocument};
use serde_json::Value;

/// Where the agent says that the log stood.
fn followed(site: &Site) -> Value {
    site.agent(&["log", "show", "--json"]).json()
}

/// The states that the hospital holds under the coordinator's own signature once they contradict each other.
fn signed_states(consortium: &Consortium, log: &Value) -> Vec<LogCheckpoint> {
    let root = fs::read_to_string(consortium.home().join("pki/root.pem")).expect("a root");
    let root = Certificate::from_pem(&root).expect("a certificate");
    let state = |state: &Value| {
        let checkpoint: LogCheckpoint =
            serde_json::from_value(state["checkpoint"].clone()).expect("a state");
        let endorsement =
            serde_json::from_value(state["endorsement"].clone()).expect("an endorsement");
        let signed = SignedDocument {
            payload_type: PayloadType::LogCheckpoint,
            bytes: Canonical::new(checkpoint).expect("a short log").into_bytes(),
            endorsements: vec![endorsement],
        };
        signed.verify(&Role::Coordinator, &root, SystemClock.now()).expect("it signed both");
        checkpoint
    };
    log["contradiction"].as_array().into_iter().flatten().map(state).collect()
}

fn entries(log: &Value) -> u64 {
    log["entries"].as_u64().expect("a number")
}

/// Locks and dispatches a study, and waits for the site's word that it cannot run the model.
fn ask(consortium: &Consortium, study: &str, site: &Site, model: &Path) {
    let protocol = consortium.lock(study, &small_site::study(study, model));
    site.sign_policy(&[&protocol]);
    consortium.fedval(&["study", "dispatch", study, "--json"]).json();
    consortium.until_answered(study);
    consortium.fedval(&["study", "close", study, "--json"]).json();
}

fn build(consortium: &Consortium, study: &str) -> String {
    let out = consortium.path(&format!("report-{study}"));
    let folder = out.to_str().expect("a plain path").to_owned();
    consortium.fedval(&["report", "build", study, "--out", &folder, "--json"]).json();
    folder
}

#[test]
fn a50_a_history_told_anew_shows_at_the_hospital_that_knew_the_old_one() {
    let mut consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("a writable folder");
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let mut site = consortium.enrol("hospital", &data);
    site.run();
    consortium.stop();
    let before = consortium.path("before");
    folder::copy_as_it_is(&consortium.home(), &before);
    consortium.serve();

    ask(&consortium, "first", &site, &model);
    // Locked, dispatched, answered, closed: and known at the hospital, whenever its agent looks next.
    let seen = until("the hospital followed the log", || {
        let log = followed(&site);
        (entries(&log) >= 5).then_some(log)
    });
    let checkpoint = consortium.path("seen.json");
    fs::write(&checkpoint, seen.to_string()).expect("a writable folder");
    let checkpoint = checkpoint.to_str().expect("a plain path");
    let first = build(&consortium, "first");
    let verified = consortium.fedval(&["verify", &first, "--checkpoint", checkpoint, "--json"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let log = &verified.json()["log"];
    assert_eq!(log["cosigned_by"], serde_json::json!(["hospital"]));
    assert_eq!(log["dispatches"]["hospital"], 1);

    // The same coordinator with what it knew before, and another history since.
    site.kill();
    consortium.stop();
    fs::remove_dir_all(consortium.home()).expect("it is there");
    folder::copy_as_it_is(&before, &consortium.home());
    consortium.serve();
    site.run();
    ask(&consortium, "other", &site, &model);
    let broken = until("the hospital sees another history", || {
        let log = followed(&site);
        log["broken"].is_u64().then_some(log)
    });
    assert_eq!(entries(&broken), entries(&seen), "what was followed is kept");
    let told = signed_states(&consortium, &broken);
    assert_eq!(told.len(), 2, "both histories: {broken}");
    assert_eq!(told[0].entries, entries(&seen));
    assert_eq!(broken["broken"], told[1].entries);
    assert_ne!(told[0].root, told[1].root);
    let other = build(&consortium, "other");
    let refused = consortium.fedval(&["verify", &other, "--checkpoint", checkpoint]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("never stood where it was seen"), "{}", refused.err);

    assert_eq!(site.agent(&["log", "accept"]).code, 0);
    until("the hospital follows the new log", || {
        let log = followed(&site);
        (entries(&log) > 0 && log["broken"].is_null()).then_some(())
    });
}
