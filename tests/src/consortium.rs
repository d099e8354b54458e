//! One coordinator and its sites, each a process with its own folder.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Answer, Launch, Running, call};
use crate::recorder::Recorder;

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(100);
/// How often at most: five minutes on a machine that does nothing else.
const MOST_POLLS: u32 = 3000;

/// A coordinator that runs, with sites that may.
#[derive(Debug)]
pub struct Consortium {
    folder: TempDir,
    port: u16,
    server: Option<Running>,
}

/// One enrolled site.
#[derive(Debug)]
pub struct Site {
    /// Its id.
    pub name: String,
    /// Its agent's folder.
    pub home: PathBuf,
    log: PathBuf,
    /// What was sent to enrol.
    enrolment: Vec<u8>,
    recorder: Option<Recorder>,
    agent: Option<Running>,
}

/// A port that was free a moment ago.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound port").port()
}

/// Waits until `condition` yields something.
///
/// # Panics
///
/// If it never does.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    for _ in 0..MOST_POLLS {
        if let Some(found) = condition() {
            return found;
        }
        std::thread::sleep(POLL);
    }
    panic!("waited in vain until {what}");
}

impl Consortium {
    /// Makes a consortium and starts its coordinator.
    ///
    /// # Panics
    ///
    /// If it does not come up.
    #[must_use]
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let port = free_port();
        let mut consortium = Self { folder, port, server: None };
        let listen = format!("127.0.0.1:{port}");
        let made = consortium.fedval(&["init", "--listen", &listen, "--host", "localhost"]);
        assert_eq!(made.code, 0, "{}", made.err);
        consortium.serve();
        consortium
    }

    /// Starts the coordinator's server and waits until it answers.
    pub fn serve(&mut self) {
        let log = self.folder.path().join("coordinator.log");
        self.server = Some(Running::start("fedval", &self.home(), &["serve"], &log));
        until("the coordinator answers", || {
            (self.fedval(&["site", "list", "--json"]).code == 0).then_some(())
        });
    }

    /// Stops the server.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// The coordinator's folder.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("coordinator")
    }

    /// A path in the consortium's temporary folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the coordinator listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The coordinator's port on this machine.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Runs an operator's command.
    #[must_use]
    pub fn fedval(&self, args: &[&str]) -> Answer {
        call("fedval", &self.home(), args)
    }

    /// The coordinator's log so far.
    #[must_use]
    pub fn log(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("coordinator.log")).unwrap_or_default()
    }

    /// Uploads and locks the study in `text`, and returns its protocol's digest.
    ///
    /// # Panics
    ///
    /// If a step fails.
    #[must_use]
    pub fn lock(&self, study: &str, text: &str) -> String {
        let file = self.path(&format!("{study}.toml"));
        fs::write(&file, text).expect("a writable folder");
        let file = file.to_str().expect("a plain path");
        self.fedval(&["study", "create", file, "--json"]).json();
        let locked = self.fedval(&["study", "lock", study, "--json"]).json();
        locked["protocol_digest"].as_str().expect("a digest").to_owned()
    }

    /// Builds the report of a study and reads its `report.json`.
    ///
    /// # Panics
    ///
    /// If a step fails.
    #[must_use]
    pub fn report(&self, study: &str) -> (PathBuf, Value) {
        let out = self.path("report");
        let folder = out.to_str().expect("a plain path");
        self.fedval(&["report", "build", study, "--out", folder, "--json"]).json();
        let report = fs::read(out.join("report.json")).expect("a report");
        (out, serde_json::from_slice(&report).expect("JSON"))
    }

    /// A whole round of these sites, from the study's text to its report, which verifies.
    ///
    /// # Panics
    ///
    /// If a step fails.
    pub fn complete(&self, study: &str, text: &str, sites: &mut [Site]) -> (PathBuf, Value) {
        let protocol = self.lock(study, text);
        for site in sites {
            site.sign_policy(&[&protocol]);
            site.run();
        }
        self.fedval(&["study", "dispatch", study, "--json"]).json();
        self.until_answered(study);
        self.fedval(&["study", "close", study, "--json"]).json();
        let (out, report) = self.report(study);
        let verified = self.fedval(&["verify", out.to_str().expect("a plain path")]);
        assert_eq!(verified.code, 0, "{}", verified.err);
        (out, report)
    }

    /// Invites and enrols a site whose manifest and images lie in `data`.
    ///
    /// # Panics
    ///
    /// If a step fails.
    #[must_use]
    pub fn enrol(&self, name: &str, data: &Path) -> Site {
        let invited = self.fedval(&["site", "invite", name, "--json"]).json();
        let token = invited["token"].as_str().expect("a token");
        let home = self.folder.path().join(name);
        let enrolling = Recorder::start_for_enrolment(&self.home(), self.port);
        let url = enrolling.url();
        let enrolled =
            call("fedval-agent", &home, &["enrol", "--coordinator", &url, "--token", token]);
        assert_eq!(enrolled.code, 0, "{}", enrolled.err);
        let recorder = Recorder::start(&self.home(), self.port, &home);
        let site = Site {
            name: name.to_owned(),
            log: self.folder.path().join(format!("{name}.log")),
            home,
            enrolment: enrolling.sent(),
            recorder: Some(recorder),
            agent: None,
        };
        site.configure(data);
        site
    }

    /// The status of each site in the latest round.
    #[must_use]
    pub fn status(&self, study: &str) -> Value {
        let status = self.fedval(&["study", "status", study, "--json"]).json();
        status["rounds"].as_array().and_then(|rounds| rounds.last()).cloned().unwrap_or_default()
    }

    /// Waits until every site of the latest round has answered.
    pub fn until_answered(&self, study: &str) {
        until("every site has answered", || {
            let round = self.status(study);
            let sites = round["sites"].as_array()?;
            sites.iter().all(|site| site["status"] != "missing").then_some(())
        });
    }
}

impl Site {
    fn configure(&self, data: &Path) {
        let url = self.recorder.as_ref().map(Recorder::url).unwrap_or_default();
        let config = format!(
            "answer_step_seconds = 0\n\n[coordinator]\nurl = \"{url}\"\n\n[[data_sources]]\nname = \"data\"\n\
             manifest = \"{0}/manifest.csv\"\nroot = \"{0}\"\n",
            data.display()
        );
        fs::write(self.home.join("agent.toml"), config).expect("a writable folder");
    }

    /// Appends to the agent's configuration.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn configure_also(&self, text: &str) {
        let path = self.home.join("agent.toml");
        let config = fs::read_to_string(&path).expect("a configuration");
        fs::write(path, config + text).expect("a writable folder");
    }

    /// Replaces a text in the agent's configuration, where it stands once.
    ///
    /// # Panics
    ///
    /// If it does not, or the configuration cannot be written.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let path = self.home.join("agent.toml");
        let config = fs::read_to_string(&path).expect("a configuration");
        assert_eq!(config.matches(from).count(), 1, "`{from}` in {config}");
        fs::write(path, config.replace(from, to)).expect("a writable folder");
    }

    /// Writes and signs a policy that runs and releases the given protocols by itself.
    pub fn sign_policy(&self, automatic: &[&str]) {
        self.sign_policy_of(automatic, automatic);
    }

    /// Writes and signs a policy that runs some protocols by itself, and releases some.
    ///
    /// # Panics
    ///
    /// If it cannot be signed.
    pub fn sign_policy_of(&self, run: &[&str], release: &[&str]) {
        let policy = format!(
            "profile = \"standard\"\nk = 11\nrun_without_approval = {run:?}\n\
             release_without_steward = {release:?}\n"
        );
        fs::write(self.home.join("policy.toml"), policy).expect("a writable folder");
        let signed = self.agent(&["policy", "sign"]);
        assert_eq!(signed.code, 0, "{}", signed.err);
    }

    /// Starts the agent.
    pub fn run(&mut self) {
        self.run_by(&Launch::default());
    }

    /// Starts the agent under another program.
    pub fn run_by(&mut self, launch: &Launch) {
        self.agent = Some(Running::launch(launch, "fedval-agent", &self.home, &["run"], &self.log));
    }

    /// Kills the agent.
    pub fn kill(&mut self) {
        self.agent = None;
    }

    /// Runs a steward's command.
    #[must_use]
    pub fn agent(&self, args: &[&str]) -> Answer {
        call("fedval-agent", &self.home, args)
    }

    /// Waits until the site's latest job is in `state`, and returns its id.
    pub fn until_job_is(&self, state: &str) -> String {
        until(&format!("a job of {} is {state}", self.name), || {
            let jobs = self.agent(&["jobs", "--json"]).json();
            let job = jobs["jobs"].as_array()?.last()?.clone();
            (job["state"] == state).then(|| job["job"].as_str().map(str::to_owned)).flatten()
        })
    }

    /// Waits until the agent, which evaluates nothing at this moment, has looked twice for something to evaluate. What
    /// nobody evaluates any more it takes away at every look, also while it is paused.
    ///
    /// # Panics
    ///
    /// If it does not look.
    pub fn until_it_looked_for_work(&self) {
        let left = self.home.join("shards").join("gone-r1");
        for _ in 0..2 {
            fs::create_dir_all(&left).expect("a writable folder");
            until("the agent looks for something to evaluate", || (!left.exists()).then_some(()));
        }
    }

    /// Every byte the agent sent, from enrolment on, and its log.
    #[must_use]
    pub fn outgoing(&self) -> Vec<u8> {
        let mut bytes = self.enrolment.clone();
        bytes.extend(self.recorder.as_ref().map(Recorder::sent).unwrap_or_default());
        bytes.extend(fs::read(&self.log).unwrap_or_default());
        bytes
    }
}
