//! Three hospitals whose images lie in a PACS – Orthanc, with and without a password – give the numbers
//! that the same images give from a folder, also where a steward paused one of them in the middle.

use std::fs;
use std::path::Path;

use fedval_tests::consortium::{Consortium, Site, until};
use fedval_tests::hospital::{Hospital, STUDY, differences, dispatch, enrolled, hospitals, report};
use fedval_tests::orthanc::{self, Orthanc, PASSWORD};
use fedval_tests::pacs_relay::PacsRelay;
use fedval_tests::shared;
use tempfile::TempDir;

/// How each hospital's manifest names its images.
const FIND_BY: [&str; 3] = ["sop_instance_uid", "study_instance_uid", "accession_number"];

/// A PACS with all images of a hospital.
fn pacs_of(hospital: &Hospital, asks_for_password: bool) -> Orthanc {
    let pacs = Orthanc::start(asks_for_password);
    hospital.fill(&pacs);
    pacs
}

/// Reads from the PACS in the place of the folder.
fn read_from(site: &Site, hospital: &Hospital, pacs: &Orthanc, find_by: &str, password: &str) {
    let credentials = pacs.credentials(password);
    read_at(&pacs.url(), site, hospital, find_by, &credentials);
}

/// The same at an address of its own.
fn read_at(url: &str, site: &Site, hospital: &Hospital, find_by: &str, credentials: &Path) {
    let table = format!(
        "[data_sources.pacs]\nurl = \"{url}\"\ncredentials = \"{}\"",
        credentials.display(),
    );
    hospital.move_to_pacs(site, find_by, &table);
}

#[test]
fn three_pacs_give_the_numbers_of_three_folders_and_nothing_of_a_patient_leaves() {
    let Some(data) = shared::folder("data/cxr") else { return };
    if !orthanc::is_there() {
        return;
    }
    let work = TempDir::new().expect("a temporary folder");
    let hospitals = hospitals(&data, work.path(), 3);

    let (consortium, mut sites) = enrolled(&hospitals);
    dispatch(&consortium, &mut sites, &data);
    let (_, from_folders) = report(&consortium);
    drop((sites, consortium));
    let listed = from_folders["sites"].as_array().expect("a list");
    assert!(listed.iter().all(|site| site["status"] == "released"), "{listed:?}");

    // The first PACS lets everybody in, who may show a password all the same.
    let pacs: Vec<Orthanc> = [false, true, true]
        .into_iter()
        .zip(&hospitals)
        .map(|(asks, hospital)| pacs_of(hospital, asks))
        .collect();
    let (consortium, mut sites) = enrolled(&hospitals);
    for (((site, hospital), pacs), find_by) in sites.iter().zip(&hospitals).zip(&pacs).zip(FIND_BY)
    {
        read_from(site, hospital, pacs, find_by, PASSWORD);
        let check = site.agent(&["check", "--json"]);
        assert!(check.out.contains("the PACS answers"), "{}{}", check.out, check.err);
    }
    dispatch(&consortium, &mut sites, &data);
    let (out, from_pacs) = report(&consortium);

    assert_eq!(differences(&from_pacs, &from_folders), Vec::<String>::new());
    for (site, hospital) in sites.iter().zip(&hospitals) {
        hospital.check_egress(&consortium, site, &out, &[PASSWORD]);
    }
}

#[test]
fn a36_a_password_that_is_wrong_holds_the_job_up_and_a_right_one_lets_it_go_on() {
    let Some(data) = shared::folder("data/cxr") else { return };
    if !orthanc::is_there() {
        return;
    }
    let work = TempDir::new().expect("a temporary folder");
    let hospitals = &hospitals(&data, work.path(), 3)[..1];
    let pacs = pacs_of(&hospitals[0], true);
    let (consortium, mut sites) = enrolled(hospitals);
    read_from(&sites[0], &hospitals[0], &pacs, FIND_BY[0], "wrong");
    let check = sites[0].agent(&["check"]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("does not let this agent in"), "{}", check.out);

    dispatch(&consortium, &mut sites, &data);
    let delayed = |site: &Site, code: &str| {
        until(code, || {
            let jobs = site.agent(&["jobs", "--json"]).json();
            (jobs["jobs"][0]["delay"] == code).then_some(())
        });
    };
    delayed(&sites[0], "PACS_REFUSED");
    assert_eq!(consortium.status(STUDY)["sites"][0]["status"], "missing", "nothing was answered");

    // At another time of day: nothing is evaluated then, though the password is right.
    sites[0].kill();
    let _ = pacs.credentials(PASSWORD);
    sites[0].configure_also(&format!("hours = \"{}\"\n", another_time()));
    sites[0].run();
    delayed(&sites[0], "PACS_OUTSIDE_HOURS");
    assert_eq!(consortium.status(STUDY)["sites"][0]["status"], "missing", "nothing was answered");

    sites[0].kill();
    let file = sites[0].home.join("agent.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(&file, text.replace("hours = ", "# hours = ")).expect("a writable folder");
    sites[0].run();
    consortium.until_answered(STUDY);
    assert_eq!(consortium.status(STUDY)["sites"][0]["status"], "released");
}

/// Questions after which a PACS falls silent: two for each of some thirty cases, which is half of them.
const BEFORE_THE_PAUSE: usize = 60;

#[test]
fn a_pause_in_the_middle_asks_the_pacs_nothing_and_resume_goes_on_at_the_case() {
    let Some(data) = shared::folder("data/cxr") else { return };
    if !orthanc::is_there() {
        return;
    }
    let work = TempDir::new().expect("a temporary folder");
    let hospitals = hospitals(&data, work.path(), 3);
    let (consortium, mut sites) = enrolled(&hospitals);
    dispatch(&consortium, &mut sites, &data);
    let (_, from_folders) = report(&consortium);
    drop((sites, consortium));

    let pacs = pacs_of(&hospitals[0], true);
    let relay = PacsRelay::start(pacs.port());
    relay.hold_after(BEFORE_THE_PAUSE);
    let (consortium, mut sites) = enrolled(&hospitals);
    let credentials = pacs.credentials(PASSWORD);
    read_at(&relay.url(), &sites[0], &hospitals[0], FIND_BY[0], &credentials);
    dispatch(&consortium, &mut sites, &data);
    pause_in_the_middle(&consortium, &mut sites[0], &relay);
    let asked = relay.asked().len();
    let resumed = sites[0].agent(&["resume", "--json"]).json();
    assert_eq!(resumed["paused"], false);
    let (out, after_the_pause) = report(&consortium);
    assert_eq!(differences(&after_the_pause, &from_folders), Vec::<String>::new());
    hospitals[0].check_egress(&consortium, &sites[0], &out, &[PASSWORD]);
    let (all, after) = (relay.fetched(0), relay.fetched(asked));
    let before = &all[..all.len() - after.len()];
    // Twenty cases are looked at a second time, as ever. Of those that were done before, more are left.
    assert!(before.len() > 25, "{} were fetched before", before.len());
    let kept = before.iter().filter(|question| !after.contains(question)).count();
    assert!(kept > 0, "what was done before the pause is not done again");
}

/// Pauses an agent that waits for an answer of its PACS, and sees that it asks nothing more, whatever else happens.
fn pause_in_the_middle(consortium: &Consortium, site: &mut Site, relay: &PacsRelay) {
    until("the agent waits for an answer", || (relay.held() > 0).then_some(()));
    let paused = site.agent(&["pause", "--json"]).json();
    assert_eq!(paused["paused"], true);
    until("the agent has hung up", || (relay.held() == 0).then_some(()));
    let asked = relay.asked().len();
    assert_eq!(asked, BEFORE_THE_PAUSE + 1, "one question at a time, and none was asked again");
    relay.let_go();
    site.until_it_looked_for_work();
    // A restart ends no pause.
    site.kill();
    site.run();
    site.until_it_looked_for_work();
    assert_eq!(relay.asked().len(), asked, "the PACS is left alone");
    let jobs = site.agent(&["jobs", "--json"]).json();
    assert_eq!(jobs["jobs"][0]["state"], "running", "{jobs}");
    let status = consortium.status(STUDY);
    let listed = status["sites"].as_array().expect("a list");
    let own = listed.iter().find(|listed| listed["site"] == site.name.as_str());
    assert_eq!(own.expect("the site")["status"], "missing", "{status}");
}

/// An hour that begins eleven hours from now.
fn another_time() -> String {
    use fedval_ambient::{Clock as _, SystemClock};
    let hour = (SystemClock.minute_of_day() / 60 + 11) % 24;
    format!("{hour:02}:00-{:02}:00", (hour + 1) % 24)
}
