//! A hospital whose PACS may be asked at certain hours: where they end in the middle of a run, it stops at the case, asks
//! nothing more, and goes on there when they begin again. Agent, boxes and PACS are real, and the clock moves when it is
//! told.
//!
//! This executable is three programs: started with a role, it is the decoder or the model's box.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use fedval_agent::daemon::{Agent, Boxed, Home, Worker};
use fedval_ambient::{Clock as _, MockClock, OsEntropy, SystemClock};
use fedval_tests::consortium::Site;
use fedval_tests::hospital::{differences, dispatch, enrolled, hospitals, report};
use fedval_tests::orthanc::{self, Orthanc};
use fedval_tests::pacs_relay::PacsRelay;
use fedval_tests::shared;
use fedval_vault::{Job, JobState};
use libtest_mimic::{Arguments, Trial};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::sleep;

/// When the PACS may be asked. A clock that nobody moved shows 01:46.
const HOURS: &str = "01:00-02:00";
const HALF_AN_HOUR: i64 = 30 * 60;
/// From a quarter past two to half past one.
const TO_THE_NEXT_NIGHT: i64 = 23 * 3600 + 15 * 60;
const DAY_MILLIS: i64 = 24 * 3600 * 1000;
/// Questions after which the PACS falls silent: two for each of some thirty cases, which is half of them.
const BEFORE_THE_END: usize = 60;
/// How often a condition is looked at, and how often at most.
const LOOK: Duration = Duration::from_millis(10);
const MOST_LOOKS: u32 = 30_000;

fn main() -> ExitCode {
    let role = std::env::args().nth(1);
    if let Some(exit) = role.as_deref().and_then(fedval_agent::box_main) {
        return exit;
    }
    let trial = Trial::test("hours_that_end_stop_a_run_at_the_case_and_it_goes_on_there", || {
        stops_and_goes_on();
        Ok(())
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

fn stops_and_goes_on() {
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

    let pacs = Orthanc::start(false);
    hospitals[0].fill(&pacs);
    let relay = PacsRelay::start(pacs.port());
    let (consortium, mut sites) = enrolled(&hospitals);
    let table = format!("[data_sources.pacs]\nurl = \"{}\"\nhours = \"{HOURS}\"", relay.url());
    hospitals[0].move_to_pacs(&sites[0], "sop_instance_uid", &table);
    // The agent's own process takes the job and evaluates nothing of it.
    assert_eq!(sites[0].agent(&["pause"]).code, 0);
    dispatch(&consortium, &mut sites, &data);
    sites[0].until_job_is("approved");
    sites[0].kill();
    assert_eq!(sites[0].agent(&["resume"]).code, 0);
    bring_model(&sites[0], &data.join("pneumonia.onnx"));
    assert_eq!(relay.asked(), Vec::<String>::new(), "the PACS was not asked yet");
    Runtime::new().expect("threads").block_on(evaluate(&sites[0], &relay));

    // The same process releases and sends what was found.
    sites[0].run();
    let (_, over_two_nights) = report(&consortium);
    let differing = differences(&over_two_nights, &from_folders);
    // This executable is another one than the agent, and the answer says so.
    let [build] = &differing[..] else { panic!("{differing:?}") };
    assert!(build.starts_with("/sites/0/agent_build: "), "{build}");
}

/// Puts the model where the agent looks for one that it fetched.
fn bring_model(site: &Site, model: &Path) {
    let jobs = site.agent(&["jobs", "--json"]).json();
    let digest = jobs["jobs"][0]["model_digest"].as_str().expect("a digest");
    let fetched = site.home.join("artifacts").join(format!("{digest}.bin"));
    fs::copy(model, fetched).expect("a writable folder");
}

/// Evaluates the site's job in two nights.
async fn evaluate(site: &Site, relay: &PacsRelay) {
    let clock = tonight();
    let (home, clock_of_agent) = (Home::new(&site.home), Arc::new(clock.clone()));
    let agent = Agent::open(home, Arc::new(Boxed), clock_of_agent, Arc::new(OsEntropy)).await;
    let agent = Arc::new(agent.expect("an enrolled site"));
    let (_nobody, way) = watch::channel(None);
    let mut worker = Worker::new(&agent, &way);

    relay.hold_after(BEFORE_THE_END);
    let hours_end = async {
        until("the agent waits for an answer", || relay.held() > 0).await;
        clock.advance_seconds(HALF_AN_HOUR);
    };
    let (began, ()) = tokio::join!(worker.evaluate_next(), hours_end);
    assert!(began.expect("the machine does its part"));
    until("the agent has hung up", || relay.held() == 0).await;
    let asked = relay.asked().len();
    assert_eq!(asked, BEFORE_THE_END + 1, "one question at a time, and none was asked again");
    relay.let_go();
    for _ in 0..3 {
        let begins = worker.evaluate_next().await.expect("the machine does its part");
        assert!(!begins, "nothing is evaluated at this hour");
    }
    let job = job_of(&agent).await;
    assert_eq!((job.state, job.delay.as_deref()), (JobState::Running, Some("PACS_OUTSIDE_HOURS")));
    assert!(cases_done(&agent, &job).await > 20, "what was done is kept");
    assert_eq!(relay.asked().len(), asked, "the PACS is left alone");

    clock.advance_seconds(TO_THE_NEXT_NIGHT);
    assert!(worker.evaluate_next().await.expect("the machine does its part"));
    let job = job_of(&agent).await;
    assert_eq!((job.state, job.delay), (JobState::AwaitingRelease, None));
    let (all, after) = (relay.fetched(0), relay.fetched(asked));
    let before = &all[..all.len() - after.len()];
    // Twenty cases are looked at a second time, as ever. Of those that were done before, more are left.
    assert!(before.len() > 25, "{} were fetched before", before.len());
    assert!(before.iter().any(|question| !after.contains(question)), "all was done again");
}

/// A clock that shows 01:46 of a day on which these certificates hold.
fn tonight() -> MockClock {
    let clock = MockClock::default();
    let days = (SystemClock.now().unix_millis() - clock.now().unix_millis()) / DAY_MILLIS;
    clock.jump_seconds(days * DAY_MILLIS / 1000);
    clock
}

async fn job_of(agent: &Agent) -> Job {
    agent.vault().job_list().await.expect("a vault").remove(0)
}

async fn cases_done(agent: &Agent, job: &Job) -> usize {
    let checkpoints = agent.vault().checkpoint_list(job.round()).await.expect("a vault");
    checkpoints.open_on_site().len()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..MOST_LOOKS {
        if condition() {
            return;
        }
        sleep(LOOK).await;
    }
    panic!("waited in vain until {what}");
}
