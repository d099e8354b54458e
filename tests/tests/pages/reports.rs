//! The report as everybody reads it: of each task, of many sites, with long names; everything that is folded open.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;

use fedval_report::{REPORT_REVISION, assemble, render_html, unpack};
use fedval_study::StudyProtocol;
use fedval_tests::browser::Browser;
use flate2::read::GzDecoder;

use crate::cohort::Recipe;
use crate::consortium::{Answers, documents, plan, released};
use crate::large;
use crate::looks::{LONG, ZOOMS, problems};

/// More than stand on one page of a forest plot.
const MANY_SITES: usize = 50;
const CATEGORIES: usize = 3;
const POINTS: usize = 3;
/// Zoomed to twice its size, and not.
const TWICE: [u32; 2] = [100, 200];
const OPENED_AT_MS: i64 = 1_760_000_000_000;

/// Everything that is wrong with a report, folded and with every fold open.
fn problems_of(browser: &Browser, name: &str, page: &[u8], zooms: &[u32]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(format!("{name}.html"));
    fs::write(&file, page).expect("a writable folder");
    browser.go(&format!("file://{}", file.display()));
    browser.until_shown("Cross-site generalization report");
    let mut found = browser.accessibility_problems();
    assert!(browser.open_folds() > 0, "{name} has folds");
    found.extend(problems(browser, zooms));
    found
}

/// Name and page of each package in a folder that stands for this revision of reports.
fn golden(folder: &str) -> Vec<(String, Vec<u8>)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/report/tests");
    let own = format!("report-1.revision-{REPORT_REVISION}.");
    let mut pages = Vec::new();
    for entry in fs::read_dir(tests.join(folder)).expect("golden packages") {
        let file = entry.expect("golden packages").path();
        let name = file.file_name().and_then(|name| name.to_str()).expect("a plain name");
        if name.starts_with(&own) {
            let mut files = unpack(Cursor::new(archive(&file))).expect("an archive");
            pages.push((name.to_owned(), files.remove("report.html").expect("a page")));
        }
    }
    pages
}

/// Packages of the other tasks are kept packed.
fn archive(file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).expect("a package");
    if file.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut archive = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut archive).expect("it was packed whole");
    archive
}

/// The page of a round that ended so.
fn page(plan: &StudyProtocol, answers: &Answers) -> String {
    let (history, round, results) = documents(plan, answers, OPENED_AT_MS);
    let report = assemble(&history, &round, &results).expect("a report");
    render_html(&report, &[]).expect("a page")
}

#[test]
fn the_report_of_one_condition_is_read_by_everybody() {
    let browser = Browser::open();
    let pages = golden("golden");
    assert_eq!(pages.len(), 1, "of revision {REPORT_REVISION}");
    let found = problems_of(&browser, &pages[0].0, &pages[0].1, &TWICE);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_report_of_each_other_task_is_read_by_everybody() {
    let browser = Browser::open();
    let pages = golden("golden_tasks");
    assert!(pages.len() >= 6, "{} of revision {REPORT_REVISION}", pages.len());
    let problems = pages.iter().flat_map(|(name, page)| problems_of(&browser, name, page, &TWICE));
    let found: Vec<String> = problems.collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_report_of_many_sites_is_read_by_everybody() {
    let plan = large::plan(CATEGORIES, POINTS);
    let page = page(&plan, &large::answers(&plan, MANY_SITES));
    assert!(page.contains("The other sites, page by page"), "not all stand in the first plot");
    let browser = Browser::open();
    let found = problems_of(&browser, "many-sites", page.as_bytes(), &TWICE);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_report_with_long_names_is_read_by_everybody() {
    let mut plan = plan();
    plan.title = format!("External validation at {LONG}");
    plan.target_condition = LONG.to_owned();
    plan.model.name = LONG.to_owned();
    let site = |seed| Some(released(&plan, Recipe { seed, ..Recipe::default() }));
    let answers = vec![("site-b", site(2)), ("site-c", site(3)), (LONG, site(1))];
    let page = page(&plan, &answers);
    let browser = Browser::open();
    let found = problems_of(&browser, "long-names", page.as_bytes(), &ZOOMS);
    assert!(found.is_empty(), "{found:#?}");
}
