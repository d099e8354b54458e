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
    async fn log_in(&self, browser: &Browser, name: &str) {
        let issued = self.issued_password(name);
        browser.go(&self.url("/")).await;
        browser.until_shown("Log in").await;
        browser.type_into("name", name).await;
        browser.type_into("password", &issued).await;
        browser.submit().await;
        browser.until_shown("Choose a password").await;
        browser.type_into("old", &issued).await;
        browser.type_into("new", SENTENCE).await;
        browser.type_into("again", SENTENCE).await;
        browser.submit().await;
        browser.until_shown("Sites that answered").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_follows_a_round_to_its_report_without_asking_again() {
    let mut scene = Scene::new();
    let browser = Browser::open().await;
    scene.log_in(&browser, "admin").await;
    browser.keep_picture("studies").await;
    browser.follow(STUDY).await;
    browser.until_shown("not seen yet").await;
    assert!(browser.text().await.contains("<b>of a chest model</b>"), "titles are text");
    browser.run("window.isTheSamePage = true").await;

    scene.site.run();
    browser.until_shown("1 of 1 sites have answered").await;
    browser.keep_picture("progress").await;
    assert_eq!(browser.run("return window.isTheSamePage").await, true, "it was fetched again");
    scene.close();
    browser.follow("Read the report").await;
    browser.until_shown("Cross-site generalization report").await;
    assert!(browser.text().await.contains("No person has signed this report"));
    browser.keep_picture("report").await;

    browser.go(&scene.url("/log")).await;
    browser.until_shown("hospital answered in chest").await;
    browser.keep_picture("log").await;
    browser.go(&scene.url("/sites")).await;
    browser.until_shown("enrolled").await;
    let log_out = fantoccini::Locator::Css(".top button");
    let button = browser.window.find(log_out).await.expect("a button");
    button.click().await.expect("it is pressed");
    browser.until_shown("Log in").await;
    browser.go(&scene.url(&format!("/studies/{STUDY}"))).await;
    browser.until_shown("Log in").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_one_study_and_nothing_else_until_it_is_ended() {
    let mut scene = Scene::new();
    scene.site.run();
    scene.close();
    let shared = scene.consortium.fedval(&["study", "share", STUDY, "--json"]).json();
    let link = shared["url"].as_str().expect("a link").to_owned();
    let browser = Browser::open().await;
    browser.go(&link).await;
    browser.until_shown("You read this study by a link").await;
    let address = browser.window.current_url().await.expect("an address").to_string();
    assert_eq!(address, scene.url(&format!("/studies/{STUDY}")), "the secret stays in the address");
    browser.follow("Read the report").await;
    browser.until_shown("Cross-site generalization report").await;
    let other = format!("/studies/{OTHER}");
    browser.go(&scene.url(&other)).await;
    browser.until_shown("There is no such page").await;
    for page in ["/", "/sites", "/log"] {
        browser.go(&scene.url(page)).await;
        browser.until_shown("Log in").await;
    }
    scene.consortium.fedval(&["study", "unshare", STUDY, "--json"]).json();
    browser.go(&scene.url(&format!("/studies/{STUDY}"))).await;
    browser.until_shown("Log in").await;
    browser.go(&link).await;
    browser.until_shown("There is no such page").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_dismissed_reads_no_further_page() {
    let scene = Scene::new();
    let out = scene.consortium.path("rae");
    let out = out.to_str().expect("a plain path");
    let admit = ["person", "admit", "rae", "--role", "reviewer", "--out", out, "--json"];
    scene.consortium.fedval(&admit).json();
    let browser = Browser::open().await;
    scene.log_in(&browser, "rae").await;
    scene.consortium.fedval(&["person", "dismiss", "rae", "--json"]).json();
    browser.go(&scene.url("/sites")).await;
    browser.until_shown("Log in").await;
    browser.type_into("name", "rae").await;
    browser.type_into("password", SENTENCE).await;
    browser.submit().await;
    browser.until_shown("The name or the password is wrong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_wrong_passwords_the_right_one_opens_nothing_for_a_while() {
    let scene = Scene::new();
    let browser = Browser::open().await;
    scene.log_in(&browser, "admin").await;
    let other = Browser::open().await;
    other.go(&scene.url("/login")).await;
    for _ in 0..5 {
        other.type_into("name", "admin").await;
        other.type_into("password", "not the right sentence").await;
        other.submit().await;
        other.until_shown("The name or the password is wrong").await;
        other.go(&scene.url("/login")).await;
    }
    other.type_into("name", "admin").await;
    other.type_into("password", SENTENCE).await;
    other.submit().await;
    other.until_shown("Too many wrong passwords were tried").await;
    browser.go(&scene.url("/sites")).await;
    browser.until_shown("enrolled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_passes_the_accessibility_checker() {
    let mut scene = Scene::new();
    let browser = Browser::open().await;
    let mut found = Vec::new();
    for page in ["/login", "/password", "/no-such-page"] {
        browser.go(&scene.url(page)).await;
        found.extend(browser.accessibility_problems().await);
    }
    scene.log_in(&browser, "admin").await;
    let study = format!("/studies/{STUDY}");
    for page in ["/", study.as_str(), "/sites", "/log"] {
        browser.go(&scene.url(page)).await;
        found.extend(browser.accessibility_problems().await);
    }
    scene.site.run();
    scene.close();
    browser.go(&scene.url(&study)).await;
    found.extend(browser.accessibility_problems().await);
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_finds_what_is_wrong_with_a_page() {
    let browser = Browser::open().await;
    browser.go("data:text/html,<img src=x><p style='color:%23bbb'>pale</p>").await;
    let found = browser.accessibility_problems().await;
    for rule in ["image-alt", "color-contrast"] {
        assert!(found.iter().any(|line| line.starts_with(rule)), "{rule} is not in {found:#?}");
    }
}
