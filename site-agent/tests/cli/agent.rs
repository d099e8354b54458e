//! A machine with the agent on it: a folder, and the program run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use fedval_ambient::{Clock as _, MockClock, SeededEntropy, SystemClock};
use fedval_disclosure::{Evidence, Gate, History, SiteLocal, SitePolicy, Vetted};
use fedval_study::{Dispatch, ResultHeader, RoundId, Sha256Digest, SiteResult};
use fedval_trust::{Authority, Role, SecretKey};
use fedval_vault::{JobState, NewJob, Vault};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::study;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that it stopped with this code of process and problem, and said what to do next.
    pub(crate) fn stops(&self, exit: i32, code: &str) -> &Self {
        assert_eq!(self.code, Some(exit), "{self:?}");
        assert!(self.err.contains(&format!("code   {code}")), "{self:?}");
        assert!(self.err.contains("\nhint: "), "{self:?}");
        self
    }
}

/// A folder for the agent.
pub(crate) struct Machine {
    folder: TempDir,
}

impl Machine {
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A machine that holds the certificate of `site-a` and the documented configuration.
    pub(crate) fn enrolled() -> Self {
        Self::enrolled_by(1)
    }

    /// The same, of another consortium for each seed.
    fn enrolled_by(seed: u64) -> Self {
        let machine = Self::empty();
        let entropy = SeededEntropy::new(seed);
        let authority = Authority::create(&SystemClock, &entropy).unwrap();
        let (key, role) = (SecretKey::generate(&entropy), Role::Site("site-a".parse().unwrap()));
        let certificate = authority.issue(&role, &key, &[], 30, &SystemClock, &entropy).unwrap();
        machine.write("site.key", &key.to_pem());
        machine.write("site.pem", &certificate.to_pem());
        machine.write("root.pem", &authority.root().to_pem());
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/config/agent.toml");
        // Nobody listens on this port, and asking takes no time.
        let config = fs::read_to_string(template).unwrap();
        let config = config.replace("https://fedval.example.org:443", "https://127.0.0.1:9");
        machine.write("agent.toml", &config);
        machine
    }

    /// A machine whose policy is signed.
    pub(crate) fn with_a_policy() -> Self {
        Self::with_a_policy_in(1)
    }

    /// The same, of another consortium for each seed.
    pub(crate) fn with_a_policy_in(seed: u64) -> Self {
        let machine = Self::enrolled_by(seed);
        assert_eq!(machine.run(&["policy", "init"]).code, Some(0));
        assert_eq!(machine.run(&["policy", "sign"]).code, Some(0));
        machine
    }

    /// A machine with the job `chest-r1` in `state`, its result waiting where there can be one.
    pub(crate) fn with_a_job(state: JobState) -> Self {
        let machine = Self::with_a_policy();
        Runtime::new().unwrap().block_on(async {
            let vault = Vault::open(&machine.path("vault.db")).await.unwrap();
            let now = MockClock::default().now();
            vault.job_insert(&new_job(), now).await.unwrap();
            let first = if state == JobState::AwaitingRelease { JobState::Running } else { state };
            vault.job_move(&round(), JobState::Offered, first, now).await.unwrap();
            if first != state {
                assert!(vault.vetted_put(&machine.result(), now).await.unwrap());
            }
        });
        machine
    }

    /// Evaluates the approved job, in a moment.
    pub(crate) fn finish(&self) {
        Runtime::new().unwrap().block_on(async {
            let vault = Vault::open(&self.path("vault.db")).await.unwrap();
            let now = MockClock::default().now();
            let (from, to) = (JobState::Approved, JobState::Running);
            assert!(vault.job_move(&round(), from, to, now).await.unwrap());
            assert!(vault.vetted_put(&self.result(), now).await.unwrap());
        });
    }

    /// What the gate lets through under the policy that this machine signed.
    pub(crate) fn result(&self) -> Vetted<SiteResult> {
        let locked = study::locked();
        let policy = SitePolicy::parse(&fs::read(self.path("policy.toml")).unwrap()).unwrap();
        let gate = Gate::new(policy.for_study(locked.protocol()), locked.protocol());
        let summary = SiteLocal::new(study::summary(&study::large(), locked.protocol()));
        let history = SiteLocal::new(History::default());
        let header =
            ResultHeader { policy: Some(policy.digest()), ..study::header(&locked, "site-a") };
        let evidence =
            Evidence { summary: &summary, history: &history, now_ms: 0, noise_seed: [7; 32] };
        gate.vet(header, &evidence).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{text}");
        self.write(name, &text.replace(from, to));
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_fedval-agent"))
            .args(args)
            .arg("--home")
            .arg(self.home())
            .env_clear()
            .output()
            .unwrap();
        Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the agent, which finds no coordinator, until the job is in `state`.
    pub(crate) fn run_until(&self, state: &str) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fedval-agent"))
            .args(["run", "--home"])
            .arg(self.home())
            .env_clear()
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let reached = (0..300).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            self.state() == state
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(reached, "the job is {}", self.state());
    }

    /// State of the job as `jobs --json` prints it.
    pub(crate) fn state(&self) -> String {
        self.run(&["jobs", "--json"]).json()["jobs"][0]["state"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn round() -> RoundId {
    "chest-r1".parse().unwrap()
}

fn new_job() -> NewJob {
    let locked = study::locked();
    let dispatch = Dispatch {
        study: locked.protocol().id.clone(),
        protocol_version: 1,
        round: round(),
        site: "site-a".parse().unwrap(),
        protocol: locked.digest(),
        protocol_bytes: locked.bytes().len() as u64,
        model: locked.protocol().model.digest,
        model_bytes: locked.protocol().model.bytes,
        issued_at_ms: 0,
        nonce: Sha256Digest::of(b"nonce"),
    };
    NewJob { dispatch, protocol: locked.bytes().to_vec() }
}
