//! The coordinator's side of the demo, by its command line.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use super::program::{Program, Service};
use crate::error::DemoError;
use crate::output_folder::OutputFolder;

/// The study's id, as `study.toml` gives it.
pub(super) const STUDY: &str = "lesion-demo";

/// The coordinator.
#[derive(Debug)]
pub(super) struct Coordinator {
    program: Program,
    port: u16,
}

/// What the coordinator's operator hands to a hospital.
#[derive(Debug, Clone)]
pub(super) struct Invitation {
    pub(super) token: String,
    pub(super) root_fingerprint: String,
}

/// How far a site is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SiteProgress {
    pub(super) site: String,
    /// Phase of its work, in words.
    pub(super) phase: String,
    /// `missing` until it answered.
    pub(super) status: String,
}

impl SiteProgress {
    /// Whether the site's answer has arrived.
    pub(super) fn has_answered(&self) -> bool {
        self.status != "missing"
    }
}

impl Coordinator {
    /// Makes the consortium, on a port that is free now.
    pub(super) fn create(folder: &OutputFolder, logs: &Path) -> Result<Self, DemoError> {
        let home = folder.join("coordinator");
        let program = Program::new("coordinator", "coordinator", home, logs)?;
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        program.run(&["init", "--listen", &listen, "--host", "localhost"])?;
        Ok(Self { program, port })
    }

    /// Starts the server.
    pub(super) fn serve(&self) -> Result<Service, DemoError> {
        self.program.start(&["serve"])
    }

    /// Where agents find it.
    pub(super) fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    pub(super) fn home(&self) -> &Path {
        self.program.home()
    }

    pub(super) fn service_log(&self) -> PathBuf {
        self.program.service_log()
    }

    /// Invites a hospital; waits for a server that is still starting.
    pub(super) fn invite(&self, site: &str) -> Result<Invitation, DemoError> {
        let answer = self.program.ask_when_reachable(&["site", "invite", site])?;
        Ok(Invitation {
            token: answer.text("/token")?,
            root_fingerprint: answer.text("/root_fingerprint")?,
        })
    }

    /// Uploads the study and locks it; returns the digest that sites approve.
    pub(super) fn lock_study(&self, file: &Path) -> Result<String, DemoError> {
        self.program.run(&["study", "create", &file.display().to_string()])?;
        self.program.ask(&["study", "lock", STUDY])?.text("/protocol_digest")
    }

    pub(super) fn dispatch(&self) -> Result<(), DemoError> {
        self.program.run(&["study", "dispatch", STUDY]).map(drop)
    }

    /// How far the sites of the latest round are.
    pub(super) fn progress(&self) -> Result<Vec<SiteProgress>, DemoError> {
        let answer = self.program.ask(&["study", "status", STUDY])?;
        let rounds = answer.list("/rounds")?;
        let Some(round) = rounds.last() else { return Ok(Vec::new()) };
        let progress = |site: &super::answer::Answer| {
            Ok(SiteProgress {
                site: site.text("/site")?,
                phase: site.text("/phase")?,
                status: site.text("/status")?,
            })
        };
        round.list("/sites")?.iter().map(progress).collect()
    }

    /// Closes the round and writes the signed report.
    pub(super) fn report(&self, out: &Path) -> Result<(), DemoError> {
        self.program.run(&["study", "close", STUDY])?;
        let out = out.display().to_string();
        self.program.run(&["report", "build", STUDY, "--out", &out]).map(drop)
    }

    /// Verifies a report as an outsider would: from its files and the root's fingerprint alone.
    pub(super) fn verify(&self, package: &Path, root: &str) -> Result<(), DemoError> {
        let package = package.display().to_string();
        self.program.run(&["verify", &package, "--root", root]).map(drop)
    }
}

/// A port that nobody listens on at this moment.
fn free_port() -> Result<u16, DemoError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| DemoError::Io { path: PathBuf::from("127.0.0.1:0"), source })
}
