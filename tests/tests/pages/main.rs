//! The pages, in a real browser against real processes: who gets in, what shows while a round runs, what a
//! link opens, and that everybody can read it.

mod access;
#[path = "../../../common/report/tests/cohort/mod.rs"]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod cohort;
#[path = "../../../common/report/tests/consortium/mod.rs"]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod consortium;
#[path = "../../bench/report/src/large.rs"]
mod large;
mod looks;
mod reader_link;
mod reports;
mod scene;

use fedval_study::PersonRole;
use fedval_tests::browser::Browser;

use scene::{OTHER, SENTENCE, STUDY, Scene};

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
    scene.close(STUDY);
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
    scene.close(STUDY);
    let link = scene.share(STUDY);
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
    scene.admit("rae", PersonRole::Reviewer);
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
