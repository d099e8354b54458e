//! The pages, in a real browser against real processes: who gets in, what shows while a round runs, what a
//! link opens, and that everybody can read it.

use std::fs;
use std::path::Path;

use fedval_tests::browser::Browser;
use fedval_tests::consortium::{Consortium, Site, free_port};
use fedval_tests::small_site;

const STUDY: &str = "chest";
const OTHER: &str = "another";
const SENTENCE: &str = "a sentence that I keep to myself";

/// A consortium that serves pages, with one site whose agent does not run yet and a study that was sent to it.
struct Scene {
    consortium: Consortium,
    site: Site,
    pages: String,
}

impl Scene {
    fn new() -> Self {
        let mut consortium = Consortium::start();
        let port = free_port();
        consortium.stop();
        let file = consortium.home().join("fedval.toml");
        let config = fs::read_to_string(&file).expect("a configuration");
        let config = format!("{config}\npages = \"127.0.0.1:{port}\"\n");
        fs::write(&file, config).expect("a writable folder");
        consortium.serve();
        let model = consortium.path("model.onnx");
        fs::write(&model, b"this is no ONNX model").expect("a writable folder");
        let data = consortium.path("data");
        small_site::write(&data, 40);
        let site = consortium.enrol("hospital", &data);
        let scene = Self { consortium, site, pages: format!("https://127.0.0.1:{port}") };
        let protocol = scene.lock(STUDY, &model);
        let _ = scene.lock(OTHER, &model);
        scene.site.sign_policy(&[&protocol]);
        scene.consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json();
        scene
    }

    fn lock(&self, study: &str, model: &Path) -> String {
        let text = small_site::study(study, model)
            .replace("A small study", "External validation <b>of a chest model</b>");
        self.consortium.lock(study, &text)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.pages)
    }

    fn issued_password(&self, name: &str) -> String {
        let issued = self.consortium.fedval(&["person", "issue-password", name, "--json"]).json();
        issued["password"].as_str().expect("a password").to_owned()
    }

    fn close(&self) {
        self.consortium.until_answered(STUDY);
        self.consortium.fedval(&["study", "close", STUDY, "--json"]).json();
    }

    /// Logs in with a password that an operator issued, which must be replaced on the way.
    fn log_in(&self, browser: &Browser, name: &str) {
        let issued = self.issued_password(name);
        browser.go(&self.url("/"));
        browser.until_shown("Log in");
        browser.type_into("name", name);
        browser.type_into("password", &issued);
        browser.submit();
        browser.until_shown("Choose a password");
        browser.type_into("old", &issued);
        browser.type_into("new", SENTENCE);
        browser.type_into("again", SENTENCE);
        browser.submit();
        browser.until_shown("Sites that answered");
    }
}

#[test]
fn a_person_follows_a_round_to_its_report_without_asking_again() {
    let mut scene = Scene::new();
    let browser = Browser::open();
    scene.log_in(&browser, "admin");
    browser.keep_picture("studies");
    browser.follow(STUDY);
    browser.until_shown("not seen yet");
    assert!(browser.text().contains("<b>of a chest model</b>"), "titles are text");
    browser.run("window.isTheSamePage = true");

    scene.site.run();
    browser.until_shown("1 of 1 sites have answered");
    browser.keep_picture("progress");
    assert_eq!(browser.run("return window.isTheSamePage"), true, "it was fetched again");
    scene.close();
    browser.follow("Read the report");
    browser.until_shown("Cross-site generalization report");
    assert!(browser.text().contains("No person has signed this report"));
    browser.keep_picture("report");

    browser.go(&scene.url("/log"));
    browser.until_shown("hospital answered in chest");
    browser.keep_picture("log");
    browser.go(&scene.url("/sites"));
    browser.until_shown("enrolled");
    browser.press(".top button");
    browser.until_shown("Log in");
    browser.go(&scene.url(&format!("/studies/{STUDY}")));
    browser.until_shown("Log in");
}

#[test]
fn a_link_opens_one_study_and_nothing_else_until_it_is_ended() {
    let mut scene = Scene::new();
    scene.site.run();
    scene.close();
    let shared = scene.consortium.fedval(&["study", "share", STUDY, "--json"]).json();
    let link = shared["url"].as_str().expect("a link").to_owned();
    let browser = Browser::open();
    browser.go(&link);
    browser.until_shown("You read this study by a link");
    let address = browser.address();
    assert_eq!(address, scene.url(&format!("/studies/{STUDY}")), "the secret stays in the address");
    browser.follow("Read the report");
    browser.until_shown("Cross-site generalization report");
    let other = format!("/studies/{OTHER}");
    browser.go(&scene.url(&other));
    browser.until_shown("There is no such page");
    for page in ["/", "/sites", "/log"] {
        browser.go(&scene.url(page));
        browser.until_shown("Log in");
    }
    scene.consortium.fedval(&["study", "unshare", STUDY, "--json"]).json();
    browser.go(&scene.url(&format!("/studies/{STUDY}")));
    browser.until_shown("Log in");
    browser.go(&link);
    browser.until_shown("There is no such page");
}

#[test]
fn whoever_was_dismissed_reads_no_further_page() {
    let scene = Scene::new();
    let out = scene.consortium.path("rae");
    let out = out.to_str().expect("a plain path");
    let admit = ["person", "admit", "rae", "--role", "reviewer", "--out", out, "--json"];
    scene.consortium.fedval(&admit).json();
    let browser = Browser::open();
    scene.log_in(&browser, "rae");
    scene.consortium.fedval(&["person", "dismiss", "rae", "--json"]).json();
    browser.go(&scene.url("/sites"));
    browser.until_shown("Log in");
    browser.type_into("name", "rae");
    browser.type_into("password", SENTENCE);
    browser.submit();
    browser.until_shown("The name or the password is wrong");
}

#[test]
fn after_five_wrong_passwords_the_right_one_opens_nothing_for_a_while() {
    let scene = Scene::new();
    let browser = Browser::open();
    scene.log_in(&browser, "admin");
    let other = Browser::open();
    other.go(&scene.url("/login"));
    for _ in 0..5 {
        other.type_into("name", "admin");
        other.type_into("password", "not the right sentence");
        other.submit();
        other.until_shown("The name or the password is wrong");
        other.go(&scene.url("/login"));
    }
    other.type_into("name", "admin");
    other.type_into("password", SENTENCE);
    other.submit();
    other.until_shown("Too many wrong passwords were tried");
    browser.go(&scene.url("/sites"));
    browser.until_shown("enrolled");
}

#[test]
fn every_page_passes_the_accessibility_checker() {
    let mut scene = Scene::new();
    let browser = Browser::open();
    let mut found = Vec::new();
    for page in ["/login", "/password", "/no-such-page"] {
        browser.go(&scene.url(page));
        found.extend(browser.accessibility_problems());
    }
    scene.log_in(&browser, "admin");
    let study = format!("/studies/{STUDY}");
    for page in ["/", study.as_str(), "/sites", "/log"] {
        browser.go(&scene.url(page));
        found.extend(browser.accessibility_problems());
    }
    scene.site.run();
    scene.close();
    browser.go(&scene.url(&study));
    found.extend(browser.accessibility_problems());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_report_passes_the_accessibility_checker() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = folder.path().join("report.html");
    fs::write(&page, latest_golden_report()).expect("a writable folder");
    let browser = Browser::open();
    browser.go(&format!("file://{}", page.display()));
    browser.until_shown("Cross-site generalization report");
    let found = browser.accessibility_problems();
    assert!(found.is_empty(), "{found:#?}");
}

/// The page of the package that stands for this revision of reports.
fn latest_golden_report() -> Vec<u8> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/report/tests/golden");
    let listed = fs::read_dir(golden).expect("golden packages");
    let mut packages: Vec<_> = listed.map(|entry| entry.expect("golden packages").path()).collect();
    packages.sort();
    let archive = fs::File::open(packages.last().expect("one package")).expect("a package");
    let mut files = fedval_report::unpack(archive).expect("an archive");
    files.remove("report.html").expect("a page")
}

#[test]
fn the_checker_finds_what_is_wrong_with_a_page() {
    let browser = Browser::open();
    browser.go("data:text/html,<img src=x><p style='color:%23bbb'>pale</p>");
    let found = browser.accessibility_problems();
    for rule in ["image-alt", "color-contrast"] {
        assert!(found.iter().any(|line| line.starts_with(rule)), "{rule} is not in {found:#?}");
    }
}
