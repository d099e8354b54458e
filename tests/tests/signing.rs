//! A person signs a report with real processes, from the folder that an operator handed over to the page that
//! prints the name.

use std::fs;
use std::path::{Path, PathBuf};

use fedval_tests::consortium::Consortium;
use fedval_tests::process::call;
use fedval_tests::small_site;

const STUDY: &str = "chest";
const SENTENCE: &str = "a sentence that I keep to myself";

fn plain(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// A consortium with a closed round, and a statistician's folder in which a password was chosen.
fn scene() -> (Consortium, PathBuf) {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("a writable folder");
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let mut site = consortium.enrol("hospital", &data);
    let protocol = consortium.lock(STUDY, &small_site::study(STUDY, &model));
    site.sign_policy(&[&protocol]);
    site.run();
    consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json();
    consortium.until_answered(STUDY);
    consortium.fedval(&["study", "close", STUDY, "--json"]).json();
    let maria = consortium.path("maria");
    let admit = ["person", "admit", "maria", "--role", "statistician", "--out", plain(&maria)];
    assert_eq!(consortium.fedval(&admit).code, 0);
    let issued = consortium.fedval(&["person", "issue-password", "maria", "--json"]).json();
    let issued = issued["password"].as_str().expect("a password");
    let file = consortium.path("passwords");
    fs::write(&file, format!("{issued}\n{SENTENCE}\n")).expect("a writable folder");
    let changed = call("fedval", &maria, &["person", "password", "--password-file", plain(&file)]);
    assert_eq!(changed.code, 0, "{}", changed.err);
    (consortium, maria)
}

fn build(consortium: &Consortium, name: &str) -> PathBuf {
    let out = consortium.path(name);
    consortium.fedval(&["report", "build", STUDY, "--out", plain(&out), "--json"]).json();
    out
}

fn root(consortium: &Consortium) -> String {
    plain(&consortium.home().join("pki/root.pem")).to_owned()
}

#[test]
fn a_signature_is_made_with_key_and_password_and_printed_with_the_next_report() {
    let (consortium, maria) = scene();
    let report = build(&consortium, "report");
    let file = consortium.path("password");
    let sign = |password: &str| {
        fs::write(&file, password).expect("a writable folder");
        let args = ["report", "sign", plain(&report), "--meaning", "approval"];
        let name = ["--name", "Maria Rossi", "--password-file", plain(&file)];
        call("fedval", &maria, &[&args[..], &name[..]].concat())
    };
    let wrong = sign("not the right sentence");
    assert_eq!(wrong.code, 4, "{}", wrong.err);
    assert!(wrong.err.contains("PASSWORD_WRONG"), "{}", wrong.err);
    let signed = sign(SENTENCE);
    assert_eq!(signed.code, 0, "{}", signed.err);
    for shown in ["Maria Rossi: approval", "report.json "] {
        assert!(signed.err.contains(shown), "{shown} is not shown before: {}", signed.err);
    }
    assert!(sign(SENTENCE).err.contains("SIGNED_BEFORE"));

    let printed = build(&consortium, "printed");
    let page = fs::read_to_string(printed.join("report.html")).expect("a page");
    for part in ["Maria Rossi", "statistician maria", "approval"] {
        assert!(page.contains(part), "{part} is not printed");
    }
    let verify = ["verify", plain(&printed), "--root", &root(&consortium)];
    let verified = consortium.fedval(&verify);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert!(verified.out.contains("evidence/signatures/maria-approval.json"), "{}", verified.out);
    let archive = printed.join("evidence.zip");
    let verified = consortium.fedval(&["verify", plain(&archive), "--root", &root(&consortium)]);
    assert_eq!(verified.code, 0, "{}", verified.err);
}

#[test]
fn what_does_not_verify_is_not_signed() {
    let (consortium, maria) = scene();
    let report = build(&consortium, "report");
    let page = report.join("report.html");
    let text = fs::read_to_string(&page).expect("a page").replacen("Limits", "Limit", 1);
    fs::write(&page, text).expect("a writable folder");
    let file = consortium.path("password");
    fs::write(&file, SENTENCE).expect("a writable folder");
    let args = ["report", "sign", plain(&report), "--meaning", "review"];
    let name = ["--name", "Maria Rossi", "--password-file", plain(&file)];
    let refused = call("fedval", &maria, &[&args[..], &name[..]].concat());
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("VERIFICATION_FAILED"), "{}", refused.err);
    let printed = build(&consortium, "printed");
    let page = fs::read_to_string(printed.join("report.html")).expect("a page");
    assert!(page.contains("No person has signed this report"));
}
