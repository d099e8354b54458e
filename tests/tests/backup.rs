//! A coordinator that is copied while it runs and brought back elsewhere, by the commands that people
//! type.

use std::fs;

use fedval_tests::consortium::{Consortium, until};
use fedval_tests::process::{Running, call};
use fedval_tests::small_site;

#[test]
fn a_coordinator_is_copied_while_it_serves_and_serves_on_from_the_copy() {
    let mut consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("it is there");
    let protocol = consortium.lock("small", &small_site::study("small", &model));
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let mut site = consortium.enrol("site-a", &data);
    site.sign_policy(&[&protocol]);
    let text = |name: &str| consortium.path(name).display().to_string();

    let backup = text("backup");
    let made = consortium.fedval(&["backup", &backup, "--json"]).json();
    assert_eq!(made["absent_models"].as_array().map(Vec::len), Some(0), "{made}");
    let again = consortium.fedval(&["backup", &backup]);
    assert!(again.code == 2 && again.err.contains("BACKUP_EXISTS"), "{}", again.err);
    let in_use = consortium.fedval(&["restore", &backup]);
    assert!(in_use.code == 2 && in_use.err.contains("RESTORE_NOT_EMPTY"), "{}", in_use.err);

    let elsewhere = consortium.path("elsewhere");
    let rows = consortium.path("backup").join("store.jsonl");
    let whole = fs::read_to_string(&rows).expect("it is there");
    fs::write(&rows, whole.replace("enrolled", "invited")).expect("it is there");
    let damaged = call("fedval", &elsewhere, &["restore", &backup]);
    assert!(damaged.code == 1 && damaged.err.contains("BACKUP_DAMAGED"), "{}", damaged.err);
    assert!(damaged.err.contains("store.jsonl") && !elsewhere.exists(), "{}", damaged.err);
    fs::write(&rows, whole).expect("it is there");

    consortium.stop();
    let restored = call("fedval", &elsewhere, &["restore", &backup, "--json"]).json();
    assert_eq!((&restored["sites"], &restored["studies"]), (&1.into(), &1.into()), "{restored}");
    let log = consortium.path("elsewhere.log");
    let _serving = Running::start("fedval", &elsewhere, &["serve"], &log);
    until("the restored coordinator answers", || {
        (call("fedval", &elsewhere, &["site", "list", "--json"]).code == 0).then_some(())
    });
    // The site's certificate, the study and its model are those of the coordinator that is gone.
    site.run();
    let dispatched = call("fedval", &elsewhere, &["study", "dispatch", "small", "--json"]);
    assert_eq!(dispatched.code, 0, "{}", dispatched.err);
    until("the site has answered", || {
        let status = call("fedval", &elsewhere, &["study", "status", "small", "--json"]).json();
        (status["rounds"][0]["sites"][0]["status"] == "failed").then_some(())
    });
}
