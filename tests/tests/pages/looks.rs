//! That everybody can read every page: on a bright or a dark screen, on paper, and zoomed; by a checker of
//! accessibility, and by what sticks out.

use fedval_study::PersonRole;
use fedval_tests::browser::{Browser, Look};

use crate::scene::{STUDY, Scene};

/// A name as long as names are, with no place to break it.
pub(crate) const LONG: &str = "universitaetsklinikumschleswigholsteincampusluebeck";

/// Of a window 1,280 pixels wide. The largest is that of WCAG 2.2, 1.4.10: 320 pixels are left to the page.
pub(crate) const ZOOMS: [u32; 3] = [100, 200, 400];

/// Everything that is wrong with the page that the browser shows.
pub(crate) fn problems(browser: &Browser, zooms: &[u32]) -> Vec<String> {
    let page = browser.address();
    let mut found = Vec::new();
    for look in Look::ALL {
        browser.look(look);
        let problems = browser.accessibility_problems().into_iter();
        found.extend(problems.map(|problem| format!("{page}, {look:?}: {problem}")));
    }
    browser.look(Look::Light);
    for percent in zooms {
        browser.zoom(*percent);
        let overflow = browser.overflow().into_iter();
        found.extend(overflow.map(|part| format!("{page} at {percent} %: {part}")));
    }
    browser.zoom(100);
    found
}

#[test]
fn every_page_is_read_by_everybody() {
    let mut scene = Scene::new();
    scene.admit(LONG, PersonRole::Reviewer);
    scene.lock(LONG);
    let browser = Browser::open();
    let mut found = Vec::new();
    let mut look_at = |page: &str| {
        browser.go(&scene.url(page));
        found.extend(problems(&browser, &ZOOMS));
    };
    for page in ["/login", "/password", "/no-such-page"] {
        look_at(page);
    }
    scene.log_in(&browser, LONG);
    let study = format!("/studies/{STUDY}");
    let long = format!("/studies/{LONG}");
    for page in ["/", study.as_str(), long.as_str(), "/sites", "/log", "/password?name=x"] {
        look_at(page);
    }
    browser.go(&scene.url("/"));
    browser.press(".top button");
    browser.until_shown("Log in");
    browser.type_into("name", LONG);
    browser.type_into("password", "not the right sentence");
    browser.submit();
    browser.until_shown("The name or the password is wrong");
    found.extend(problems(&browser, &ZOOMS));
    scene.site.run();
    scene.close(STUDY);
    browser.go(&scene.share(STUDY));
    browser.until_shown("You read this study by a link");
    browser.until_shown("Evidence package");
    found.extend(problems(&browser, &ZOOMS));
    assert!(found.is_empty(), "{found:#?}");
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

#[test]
fn what_is_wrong_in_one_look_or_zoomed_is_found_there_alone() {
    let browser = Browser::open();
    browser.go("data:text/html,<!doctype html><html lang=en><title>x</title><style>\
         p{color:%23000;background:%23fff}\
         @media screen and (prefers-color-scheme:dark){p.dark{color:%23444;background:%23333}}\
         @media print{p.paper{color:%23bbb}}\
         </style><main><h1>x</h1><p class=dark>dim</p><p class=paper>pale</p>\
         <details><summary>more</summary><p style='color:%23ccc'>folded</p></details>\
         <p style='width:700px'>wide</p></main>");
    let pale = |look, class: &str| {
        browser.look(look);
        let found = browser.accessibility_problems();
        let found =
            found.iter().any(|line| line.starts_with("color-contrast") && line.contains(class));
        assert!(browser.overflow().is_empty(), "the window is wide enough");
        found
    };
    assert!(!pale(Look::Light, "dim") && pale(Look::Dark, "dim") && !pale(Look::Print, "dim"));
    assert!(!pale(Look::Light, "pale") && !pale(Look::Dark, "pale") && pale(Look::Print, "pale"));
    assert!(!pale(Look::Light, "folded"), "nobody sees it");
    assert_eq!(browser.open_folds(), 1);
    assert!(pale(Look::Light, "folded"), "it is seen now");
    browser.zoom(200);
    let found = browser.overflow();
    assert!(found.iter().any(|line| line.contains("wide")), "{found:#?}");
}
