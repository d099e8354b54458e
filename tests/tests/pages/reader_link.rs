//! What whoever has the link to one study takes home, and what such a reader does not learn.

use fedval_report::{unpack, verify};
use fedval_tests::browser::Browser;
use fedval_tests::raw_client::Target;

use crate::scene::{OTHER, STUDY, Scene};

#[test]
fn a_reader_takes_report_and_evidence_home_and_checks_them() {
    let mut scene = Scene::new();
    scene.report_both();
    let browser = Browser::open();
    browser.go(&scene.share(STUDY));
    browser.until_shown("You read this study by a link");
    let paper = browser.download("The same on paper (PDF)", "chest-r1-report.pdf");
    let archive = browser.download("Evidence package", "chest-r1-evidence.zip");

    let root = Target::of(&scene.consortium.home(), scene.consortium.port()).root;
    let files = unpack(std::io::Cursor::new(archive)).expect("an archive");
    let verification = verify(&files, Some(root.fingerprint()));
    assert!(verification.holds(), "{:?}", verification.first_failure());
    assert!(verification.root_is_pinned && verification.is_made_again);
    assert!(paper.starts_with(b"%PDF-"));
    assert!(paper == files["report.pdf"], "the paper is that of the package");
}

#[test]
fn a_reader_follows_one_study_and_learns_nothing_of_others() {
    let mut scene = Scene::new();
    let client = scene.client();
    let link = scene.share(STUDY);
    let secret = link.rsplit('/').next().expect("a secret");
    let cookie = Scene::cookie_of_link(&client, STUDY, secret);
    let read = |path: &str| client.read(path, &cookie);
    let report = format!("/studies/{STUDY}/report/evidence.zip");
    assert_eq!(read(&report).status, 404, "there is no report before the round is closed");
    let progress = read(&format!("/studies/{STUDY}/live")).text();
    assert!(progress.contains("0 of 1 sites have answered"), "{progress}");
    scene.report_both();
    assert_eq!(read(&report).status, 200);

    for page in ["", "/live", "/report/report.html", "/report/evidence.zip"] {
        let of_another = read(&format!("/studies/{OTHER}{page}"));
        let of_none = read(&format!("/studies/no-such-study{page}"));
        assert_eq!(of_another.status, 404, "{page}");
        assert_eq!(of_another.body, of_none.body, "{page} tells that there is such a study");
    }
    let study = read(&format!("/studies/{STUDY}")).text();
    assert!(study.contains("You read this study by a link") && !study.contains(OTHER), "{study}");
    assert!(!study.contains("href=\"/log\"") && !study.contains("href=\"/sites\""), "{study}");
    scene.consortium.fedval(&["study", "unshare", STUDY, "--json"]).json();
    assert_eq!(read(&report).status, 303, "an ended link opens nothing");
}
