//! One run of the consortium, and how it has to end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use fedval_tests::consortium::{free_port, until};
use fedval_tests::fault_proxy::FaultProxy;
use fedval_tests::folder;
use fedval_tests::process::{Answer, Launch, Running, call};
use serde_json::Value;
use tempfile::TempDir;

use crate::template::{STUDY, Template, set};

/// Times of a report: all that may differ between two runs. The first is the time of the round's
/// closing once more.
const TIMES: [&str; 5] = ["as_of", "opened_at", "closed_at", "dispatched_at", "recorded_at"];

/// A coordinator and its sites.
pub(crate) struct Scene<'t> {
    template: &'t Template,
    folder: TempDir,
    pub(crate) home: PathBuf,
    port: u16,
    pub(crate) server: Option<Running>,
    pub(crate) sites: Vec<Site>,
}

/// One site.
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) home: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) agent: Option<Running>,
}

impl<'t> Scene<'t> {
    pub(crate) fn new(template: &'t Template, folder: TempDir) -> Self {
        let port = free_port();
        let site = |name: &String| Site {
            name: name.clone(),
            home: folder.path().join(name),
            log: folder.path().join(format!("{name}.log")),
            agent: None,
        };
        let sites: Vec<Site> = template.plan.sites.iter().map(site).collect();
        let home = folder.path().join("coordinator");
        set(&home.join("fedval.toml"), "listen", &format!("127.0.0.1:{port}"));
        set(&home.join("fedval.toml"), "url", &format!("https://localhost:{port}"));
        let scene = Self { template, folder, home, port, server: None, sites };
        for site in &scene.sites {
            site.dial(port);
        }
        scene
    }

    /// The first site.
    pub(crate) fn site(&mut self) -> &mut Site {
        &mut self.sites[0]
    }

    /// A path in this run's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a bad network between the coordinator and every site.
    pub(crate) fn network(&self) -> FaultProxy {
        let proxy = FaultProxy::start(self.port);
        for site in &self.sites {
            site.dial(proxy.port());
        }
        proxy
    }

    pub(crate) fn fedval(&self, args: &[&str]) -> Answer {
        call("fedval", &self.home, args)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("coordinator.log")).unwrap_or_default()
    }

    /// Starts the coordinator and waits for nothing.
    pub(crate) fn launch(&mut self, launch: &Launch) {
        let log = self.path("coordinator.log");
        self.server = Some(Running::launch(launch, "fedval", &self.home, &["serve"], &log));
    }

    /// Starts the coordinator, and waits until it answers or has ended.
    pub(crate) fn serve_by(&mut self, launch: &Launch) {
        self.launch(launch);
        until("the coordinator answers or ends", || {
            let has_ended = !self.server.as_mut()?.is_running();
            (has_ended || self.fedval(&["site", "list"]).code == 0).then_some(())
        });
    }

    pub(crate) fn serve(&mut self) {
        self.serve_by(&Launch::default());
        assert!(self.server.as_mut().unwrap().is_running(), "{}", self.log());
    }

    /// Both sides run, and the first site's result waits for its steward.
    pub(crate) fn waits_for_its_steward(&mut self) {
        self.serve();
        self.site().run();
        self.sites[0].until("awaiting_release");
    }

    /// Kills the coordinator.
    pub(crate) fn stop(&mut self) {
        self.server = None;
    }

    /// The latest round, as an operator sees it.
    pub(crate) fn round(&self) -> Value {
        let status = self.fedval(&["study", "status", STUDY, "--json"]).json();
        status["rounds"].as_array().unwrap().last().unwrap().clone()
    }

    /// Whether the coordinator holds the answer of a site.
    pub(crate) fn has_answer_of(&self, site: &str) -> bool {
        let round = self.round();
        let sites = round["sites"].as_array().unwrap();
        sites.iter().any(|row| row["site"] == site && row["status"] == "released")
    }

    /// Closes the round and returns its report, which is verified, less its times.
    pub(crate) fn report(&self) -> String {
        let out = self.path("report");
        let folder = out.to_str().unwrap();
        self.fedval(&["study", "close", STUDY, "--out", folder, "--json"]).json();
        let verified = call("fedval", &self.home, &["verify", folder]);
        assert_eq!(verified.code, 0, "{}", verified.err);
        without_times(&fs::read_to_string(out.join("report.json")).unwrap())
    }

    /// The round ends as if nothing had happened: each site's result once, charged once, its journal in
    /// order, and the report the same to the byte.
    pub(crate) fn ends_undisturbed(mut self) {
        if !self.server.as_mut().is_some_and(Running::is_running) {
            self.serve();
        }
        for site in &self.sites {
            site.until("sent");
            site.is_in_order();
        }
        assert_eq!(self.report(), self.template.undisturbed());
    }
}

impl Site {
    /// Where the agent finds its coordinator.
    pub(crate) fn dial(&self, port: u16) {
        set(&self.home.join("agent.toml"), "url", &format!("https://localhost:{port}"));
    }

    /// A second machine with a copy of this site's folder.
    pub(crate) fn copy(&self, home: &Path) -> Self {
        folder::copy(&self.home, home);
        let log = home.with_extension("log");
        Self { name: self.name.clone(), home: home.to_owned(), log, agent: None }
    }

    /// Moves the folder.
    pub(crate) fn move_to(&mut self, home: &Path) {
        folder::copy(&self.home, home);
        fs::remove_dir_all(&self.home).unwrap();
        home.clone_into(&mut self.home);
    }

    pub(crate) fn run(&mut self) {
        self.run_by(&Launch::default());
    }

    pub(crate) fn run_by(&mut self, launch: &Launch) {
        self.agent = Some(Running::launch(launch, "fedval-agent", &self.home, &["run"], &self.log));
    }

    pub(crate) fn kill(&mut self) {
        self.agent = None;
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.agent.as_mut().is_some_and(Running::is_running)
    }

    /// Waits until the agent's process has ended, and says how.
    pub(crate) fn until_ended(&mut self) -> ExitStatus {
        until("the agent has ended", || self.agent.as_mut()?.ended())
    }

    /// Waits until the job is sent or the agent has ended; how it ended, if so.
    pub(crate) fn until_sent_or_ended(&mut self) -> Option<ExitStatus> {
        until("the job is sent or the agent has ended", || {
            if let Some(end) = self.agent.as_mut()?.ended() {
                return Some(Some(end));
            }
            (self.state() == "sent").then_some(None)
        })
    }

    pub(crate) fn agent(&self, args: &[&str]) -> Answer {
        call("fedval-agent", &self.home, args)
    }

    fn job(&self) -> Value {
        let answer = self.agent(&["jobs", "--json"]);
        let jobs: Value = serde_json::from_str(&answer.out).unwrap_or_default();
        jobs["jobs"][0].clone()
    }

    /// The job's state; empty while there is none.
    pub(crate) fn state(&self) -> String {
        self.job()["state"].as_str().unwrap_or_default().to_owned()
    }

    /// The job's note.
    pub(crate) fn note(&self) -> String {
        self.job()["note"].as_str().unwrap_or_default().to_owned()
    }

    /// What keeps the job from going on.
    pub(crate) fn delay(&self) -> String {
        self.job()["delay"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn until(&self, state: &str) {
        until(&format!("the job of {} is {state}", self.name), || {
            (self.state() == state).then_some(())
        });
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until the log holds a word.
    pub(crate) fn until_log(&self, word: &str) {
        self.until_log_has_any(&[word]);
    }

    /// Waits until the agent's log has one of the words.
    pub(crate) fn until_log_has_any(&self, words: &[&str]) {
        let has_any = || words.iter().any(|word| self.log().contains(word));
        until(&format!("{} says one of {words:?}", self.name), || has_any().then_some(()));
    }

    /// The steward lets the result leave.
    pub(crate) fn release(&self) {
        let answer = self.agent(&["release", crate::template::ROUND]);
        assert_eq!(answer.code, 0, "{}", answer.err);
    }

    /// How often the site was charged.
    pub(crate) fn charges(&self) -> usize {
        let ledger = self.agent(&["ledger", "show", "--json"]).json();
        ledger["ledger"].as_array().unwrap().len()
    }

    /// Charged once, and the journal's chain holds.
    pub(crate) fn is_in_order(&self) {
        assert_eq!(self.charges(), 1, "charged once");
        let verified = self.agent(&["journal", "verify"]);
        assert_eq!(verified.code, 0, "{}", verified.err);
    }
}

/// The same text with every time emptied, and nothing else touched.
fn without_times(report: &str) -> String {
    let mut text = report.to_owned();
    for key in TIMES {
        let name = format!("\"{key}\":");
        let mut from = 0;
        while let Some(found) = text[from..].find(&name) {
            let value = from + found + name.len();
            from = value;
            // A site that is missing has no time.
            let Some(rest) = text[value..].trim_start().strip_prefix('"') else { continue };
            let open = text.len() - rest.len();
            let close = open + rest.find('"').unwrap();
            text.replace_range(open..close, "");
        }
    }
    text
}
