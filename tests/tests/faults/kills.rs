//! Processes that are killed: the agent, the coordinator, the boxes.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use fedval_study::RoundId;
use fedval_tests::consortium::until;
use fedval_tests::process::Launch;
use fedval_tests::signal::{self, Signal};
use fedval_tests::strace;
use fedval_vault::Vault;

use crate::each;
use crate::scene::Site;
use crate::template::{Plan, ROUND, Template};

const KILLED: i32 = 9;
/// More flushes than either program makes in one run.
const MOST_FLUSHES: usize = 1000;
/// Side of an image that takes the model a while.
const SLOW: u32 = 512;

/// The agent is killed at each flush of a run in turn, from the first on; in CI at some.
#[test]
fn f01_an_agent_killed_at_a_flush_goes_on_after_a_restart() {
    let template = Template::make(Plan::default());
    // Four hundred is after the last.
    let some = [1, 2, 3, 5, 9, 14, 22, 60, 110, 400];
    for nth in each(some, 1..=MOST_FLUSHES) {
        let mut scene = template.scene();
        let trace = scene.path("flushes");
        scene.serve();
        let site = scene.site();
        site.run_by(&strace::count_flushes(&trace));
        strace::kill_at_flush(site.agent.as_ref().unwrap().id(), trace.clone(), nth);
        let ended = site.until_sent_or_ended();
        if let Some(end) = ended {
            assert_eq!(end.signal(), Some(KILLED), "at flush {nth}: {}", site.log());
            say(&format!("agent killed at flush {nth} of {}", strace::flushes(&trace)));
            site.run();
        }
        scene.ends_undisturbed();
        if ended.is_none() {
            assert!(nth > some[0], "a run without a flush");
            say(&format!("an agent's run has fewer than {nth} flushes"));
            return;
        }
    }
}

/// The same for the coordinator.
#[test]
fn f02_a_coordinator_killed_at_a_flush_loses_nothing() {
    let template = Template::make(Plan::default());
    let some = [1, 2, 4, 6, 8, 10, 12, 14, 16, 100];
    for nth in each(some, 1..=MOST_FLUSHES) {
        let mut scene = template.scene();
        let trace = scene.path("flushes");
        scene.launch(&strace::count_flushes(&trace));
        strace::kill_at_flush(scene.server.as_ref().unwrap().id(), trace.clone(), nth);
        scene.site().run();
        let was_killed = until("the result is sent or the coordinator is killed", || {
            if let Some(end) = scene.server.as_mut()?.ended() {
                assert_eq!(end.signal(), Some(KILLED), "at flush {nth}: {}", scene.log());
                return Some(true);
            }
            (scene.sites[0].state() == "sent").then_some(false)
        });
        if !was_killed {
            // What is left of the trap must not close on the commands that follow.
            scene.stop();
        }
        if was_killed {
            say(&format!("coordinator killed at flush {nth} of {}", strace::flushes(&trace)));
        }
        scene.ends_undisturbed();
        if !was_killed {
            assert!(nth > some[0], "a run without a flush");
            say(&format!("a coordinator's run has fewer than {nth} flushes"));
            return;
        }
    }
}

/// Cases that are done.
fn cases_done(site: &Site) -> usize {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let vault = Vault::open(&site.home.join("vault.db")).await.unwrap();
        let round: RoundId = ROUND.parse().unwrap();
        vault.checkpoint_list(&round).await.unwrap().open_on_site().len()
    })
}

/// Waits until some cases are done, and returns the box in which the model runs.
fn box_at_work(site: &Site, plan: &Plan) -> u32 {
    until("the model is at work", || (cases_done(site) > 0).then_some(()));
    assert!(cases_done(site) < plan.cases, "it is in the middle");
    let agent = site.agent.as_ref().unwrap().id();
    *signal::children(agent, "__inference-box").first().expect("a box")
}

fn slow() -> Template {
    Template::make(Plan { side: SLOW, ..Plan::default() })
}

/// A model that works on one case about as many tenths of a second as `cosines`.
fn hard_working(cosines: usize) -> Template {
    Template::make(Plan { cosines, cases: 24, ..Plan::default() })
}

/// A box that has worked so long, in hundredths of a second, has loaded its model and is in the middle
/// of a case.
const AT_WORK: u64 = 40;

#[test]
fn f03_a_model_killed_at_work_is_started_again() {
    let template = slow();
    let mut scene = template.scene();
    scene.serve();
    let site = scene.site();
    site.run();
    let first = box_at_work(site, &template.plan);
    assert!(signal::send(first, Signal::KILL));
    let agent = site.agent.as_ref().unwrap().id();
    until("another box runs", || {
        signal::children(agent, "__inference-box").into_iter().find(|&id| id != first)
    });
    assert!(site.is_running());
    scene.ends_undisturbed();
}

/// Each box is killed in the middle of a case, whichever it is: one that is killed while it starts is
/// this machine's fault, and not the model's.
#[test]
fn f03_a_model_killed_again_and_again_fails_its_job_and_nothing_else() {
    let template = hard_working(30);
    let mut scene = template.scene();
    scene.serve();
    let site = scene.site();
    site.run();
    let agent = site.agent.as_ref().unwrap().id();
    let mut kills = 0;
    until("the job is answered", || {
        for inference in signal::children(agent, "__inference-box") {
            let is_at_work = signal::work_done(inference) >= AT_WORK;
            kills += usize::from(is_at_work && signal::send(inference, Signal::KILL));
        }
        (site.state() == "sent").then_some(())
    });
    assert!(kills >= 3, "a box is started twice more for one case");
    assert!(site.is_running(), "{}", site.log());
    assert_eq!(site.note(), "MODEL_DIED", "the steward sees why");
    site.is_in_order();
    assert_eq!(scene.round()["sites"][0]["status"], "failed");
}

#[test]
fn f04_what_a_steward_approved_leaves_after_a_crash_without_a_second_approval() {
    let template = Template::make(Plan { releases: false, ..Plan::default() });
    let mut scene = template.scene();
    scene.serve();
    scene.site().run();
    scene.sites[0].until("awaiting_release");
    scene.stop();
    scene.sites[0].release();
    scene.site().kill();
    assert_eq!(scene.sites[0].state(), "released");
    scene.serve();
    scene.site().run();
    scene.ends_undisturbed();
}

/// A control group with little memory: whoever in it takes the most is killed by the kernel.
struct LittleMemory {
    folder: std::path::PathBuf,
}

impl LittleMemory {
    fn of_bytes(limit: u32) -> Self {
        let name = format!("fedval-faults-{}-{limit}", std::process::id());
        let folder = std::path::Path::new("/sys/fs/cgroup/memory").join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("memory.limit_in_bytes"), limit.to_string()).unwrap();
        Self { folder }
    }

    fn take(&self, process: u32) {
        fs::write(self.folder.join("cgroup.procs"), process.to_string()).unwrap();
    }

    /// Starts a program in the group, where everything is that it starts in turn.
    fn launch(&self) -> Launch {
        let join = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", self.folder.display());
        let under = ["sh", "-c", &join, "sh"].map(str::to_owned).to_vec();
        Launch { under, environment: Vec::new() }
    }

    /// What the kernel killed here so far.
    fn kills(&self) -> u64 {
        let text = fs::read_to_string(self.folder.join("memory.oom_control")).unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")).unwrap();
        count.trim().parse().unwrap()
    }
}

impl Drop for LittleMemory {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The model asks for 64 MiB with every case; agent, decoder and model together may have 60.
#[test]
fn f19_the_kernel_kills_a_box_for_its_memory_and_the_job_fails_and_nothing_else() {
    let template = hard_working(1);
    let memory = LittleMemory::of_bytes(60 << 20);
    let mut scene = template.scene();
    scene.serve();
    let site = scene.site();
    site.run_by(&memory.launch());
    site.until("sent");
    assert!(memory.kills() >= 3, "a box is started twice more for one case");
    assert!(site.is_running(), "{}", site.log());
    assert_eq!(site.note(), "MODEL_DIED", "the steward sees why");
    site.is_in_order();
    assert_eq!(scene.round()["sites"][0]["status"], "failed");
}

#[test]
fn f19_the_kernel_kills_an_agent_for_its_memory_and_a_restart_ends_the_job() {
    let template = slow();
    let mut scene = template.scene();
    let none = LittleMemory::of_bytes(4096);
    scene.serve();
    let site = scene.site();
    site.run();
    box_at_work(site, &template.plan);
    none.take(site.agent.as_ref().unwrap().id());
    let end = site.until_ended();
    assert_eq!(end.signal(), Some(KILLED), "{}", site.log());
    assert!(none.kills() > 0);
    site.run();
    scene.ends_undisturbed();
}

/// For the record of a long run.
fn say(text: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{text}\n"));
}
