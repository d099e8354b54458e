//! A hospital's side of the demo, by its agent's command line.

use std::fs;
use std::path::{Path, PathBuf};

use super::coordinator::Invitation;
use super::policy::SitePolicy;
use super::program::{Program, Service};
use crate::error::DemoError;
use crate::hospital::{CohortFolder, Hospital};

/// A hospital with its agent.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) hospital: Hospital,
    pub(super) policy: SitePolicy,
    cohort: CohortFolder,
    program: Program,
}

/// A job as the agent lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) state: String,
}

impl Site {
    pub(super) fn new(
        hospital: Hospital,
        policy: SitePolicy,
        cohort: CohortFolder,
        logs: &Path,
    ) -> Result<Self, DemoError> {
        // Beside the images, as in a hospital: both stay on the site.
        let home = cohort.root.with_file_name("agent");
        let program = Program::new("agent", hospital.id, home, logs)?;
        Ok(Self { hospital, policy, cohort, program })
    }

    pub(super) fn service_log(&self) -> PathBuf {
        self.program.service_log()
    }

    /// Redeems the invitation and points the agent at the hospital's files.
    pub(super) fn enrol(&self, url: &str, invitation: &Invitation) -> Result<(), DemoError> {
        let args = ["enrol", "--coordinator", url, "--token", &invitation.token];
        self.program.run_when_reachable(&args)?;
        let absolute = |path: &Path| {
            fs::canonicalize(path)
                .map(|path| path.display().to_string())
                .map_err(|source| DemoError::Io { path: path.to_owned(), source })
        };
        let text = format!(
            "answer_step_seconds = 0\n\n[coordinator]\nurl = {}\n\n[[data_sources]]\nname = \"radiology\"\n\
             manifest = {}\nroot = {}\n",
            quoted(url),
            quoted(&absolute(&self.cohort.manifest)?),
            quoted(&absolute(&self.cohort.root)?),
        );
        self.write("agent.toml", &text)
    }

    /// Writes and signs the site's policy for a study.
    pub(super) fn sign_policy(&self, protocol_digest: &str) -> Result<(), DemoError> {
        self.program.run(&["policy", "init"])?;
        self.write("policy.toml", &self.policy.text(protocol_digest))?;
        self.program.run(&["policy", "sign"]).map(drop)
    }

    /// Starts the agent.
    pub(super) fn start(&self) -> Result<Service, DemoError> {
        self.program.start(&["run"])
    }

    pub(super) fn jobs(&self) -> Result<Vec<Job>, DemoError> {
        let answer = self.program.ask(&["jobs"])?;
        let jobs = answer.list("/jobs")?;
        jobs.iter()
            .map(|job| Ok(Job { id: job.text("/job")?, state: job.text("/state")? }))
            .collect()
    }

    /// Lets a job run.
    pub(super) fn approve(&self, job: &Job) -> Result<(), DemoError> {
        self.program.run(&["approve", &job.id]).map(drop)
    }

    /// What would leave the site, for people, and the digest of its exact bytes.
    pub(super) fn preview(&self, job: &Job) -> Result<(String, String), DemoError> {
        let digest = self.program.ask(&["preview", &job.id])?.text("/digest")?;
        Ok((self.program.run(&["preview", &job.id])?, digest))
    }

    /// Lets the bytes with this digest leave, and no others.
    pub(super) fn release(&self, job: &Job, digest: &str) -> Result<(), DemoError> {
        let args = ["release", &job.id, "--digest", digest, "--by", "demo-steward"];
        self.program.run(&args).map(drop)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), DemoError> {
        let path = self.program.home().join(name);
        fs::write(&path, text).map_err(|source| DemoError::Io { path, source })
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
