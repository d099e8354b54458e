//! A coordinator and its sites, each a process with a folder of its own, by their command lines.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::program::{AGENT, COORDINATOR, Service, ask};
use crate::server_log::{Event, ServerLog};
use crate::stopwatch::Stopwatch;
use crate::{BenchError, network, study};

/// How often a starting coordinator is asked whether it answers.
const START_POLL: Duration = Duration::from_millis(20);
const START_POLLS: u32 = 1500;

/// Whoever types the coordinator's commands.
#[derive(Debug)]
pub struct Operator {
    home: PathBuf,
}

impl Operator {
    fn ask(&self, args: &[&str]) -> Result<Value, BenchError> {
        ask(COORDINATOR, &self.home, args)
    }

    /// A single-use token for a site.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if the command fails.
    pub fn invite(&self, site: &str) -> Result<String, BenchError> {
        text(&self.ask(&["site", "invite", site])?, "token")
    }
}

/// A coordinator.
#[derive(Debug)]
pub struct Consortium {
    folder: PathBuf,
    port: u16,
    operator: Operator,
    running: Option<(Service, ServerLog)>,
}

impl Consortium {
    /// Makes a consortium in `folder` and starts its coordinator.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if it does not come up.
    pub fn start(folder: &Path) -> Result<Self, BenchError> {
        let port = free_port()?;
        let operator = Operator { home: folder.join("coordinator") };
        let mut consortium = Self { folder: folder.to_path_buf(), port, operator, running: None };
        let listen = format!("127.0.0.1:{port}");
        consortium.operator.ask(&["init", "--listen", &listen, "--host", "localhost"])?;
        consortium.serve()?;
        Ok(consortium)
    }

    /// Starts the coordinator's server and waits until it answers.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if it never does.
    pub fn serve(&mut self) -> Result<(), BenchError> {
        let (service, log) = Service::start_coordinator(&self.operator.home)?;
        let log = ServerLog::follow(log, &self.folder.join("coordinator.log"))?;
        self.running = Some((service, log));
        for _ in 0..START_POLLS {
            if std::net::TcpStream::connect_timeout(
                &(Ipv4Addr::LOCALHOST, self.port).into(),
                START_POLL,
            )
            .is_ok()
            {
                return Ok(());
            }
            std::thread::sleep(START_POLL);
        }
        Err(self.in_vain("the coordinator answers"))
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// The server's process id.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if it does not run.
    pub fn pid(&self) -> Result<u32, BenchError> {
        self.running().map(|(service, _)| service.pid())
    }

    fn running(&self) -> Result<&(Service, ServerLog), BenchError> {
        self.running.as_ref().ok_or_else(|| BenchError::unexpected("the coordinator was stopped"))
    }

    fn in_vain(&self, until: &'static str) -> BenchError {
        BenchError::InVain { until, folder: self.folder.clone() }
    }

    /// Whoever types the coordinator's commands.
    #[must_use]
    pub const fn operator(&self) -> &Operator {
        &self.operator
    }

    /// A path in the consortium's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where agents find the coordinator.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Uploads and locks a study with a model of its own; returns the protocol's digest.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if a command fails.
    pub fn lock_study(&self, id: &str, mib: usize, seed: u64) -> Result<String, BenchError> {
        let model = self.path(&format!("{id}.onnx"));
        fs::write(&model, network::perceptron(mib, seed)).map_err(BenchError::file(&model))?;
        let file = self.path(&format!("{id}.toml"));
        fs::write(&file, study::text(id, &model)).map_err(BenchError::file(&file))?;
        self.operator.ask(&["study", "create", &file.display().to_string()])?;
        fs::remove_file(&model).map_err(BenchError::file(&model))?;
        text(&self.operator.ask(&["study", "lock", id])?, "protocol_digest")
    }

    /// Sends a study to every site.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if the command fails.
    pub fn dispatch(&self, id: &str) -> Result<(), BenchError> {
        self.operator.ask(&["study", "dispatch", id]).map(drop)
    }

    /// Ends the open round of a study.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if the command fails.
    pub fn close(&self, id: &str) -> Result<(), BenchError> {
        self.operator.ask(&["study", "close", id]).map(drop)
    }

    /// How many sites of the latest round have had a result of this status accepted, of how many.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if the command fails.
    pub fn accepted(&self, id: &str, status: &str) -> Result<(usize, usize), BenchError> {
        let study = self.operator.ask(&["study", "status", id])?;
        let round = study["rounds"].as_array().and_then(|rounds| rounds.last());
        let sites = round.and_then(|round| round["sites"].as_array());
        let sites = sites.ok_or_else(|| BenchError::unexpected("the study has no round"))?;
        let accepted = sites.iter().filter(|site| site["status"] == status).count();
        Ok((accepted, sites.len()))
    }

    /// Waits until the log told `count` such events; when the last was heard.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if there are fewer before `limit` passes without any.
    pub fn hear(
        &self,
        wanted: Event,
        count: usize,
        limit: Duration,
    ) -> Result<Stopwatch, BenchError> {
        let (_, log) = self.running()?;
        let mut last = Stopwatch::start();
        let mut missing = count;
        while missing > 0 {
            match log.next(limit) {
                Some((event, at)) if event == wanted => (missing, last) = (missing - 1, at),
                Some(_) => {}
                None => return Err(self.in_vain("the coordinator heard from every site")),
            }
        }
        Ok(last)
    }
}

/// One enrolled site.
#[derive(Debug)]
pub struct Site {
    home: PathBuf,
    log: PathBuf,
    agent: Option<Service>,
}

impl Site {
    /// Invites and enrols a site whose manifest lies in `data`.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if a command fails.
    pub fn enrol(consortium: &Consortium, name: &str, data: &Path) -> Result<Self, BenchError> {
        let token = consortium.operator.invite(name)?;
        let (home, url) = (consortium.path(name), consortium.url());
        ask(AGENT, &home, &["enrol", "--coordinator", &url, "--token", &token])?;
        let config = format!(
            "answer_step_seconds = 0\n\n[coordinator]\nurl = \"{url}\"\n\n[[data_sources]]\nname = \"data\"\n\
             manifest = \"{0}/manifest.csv\"\nroot = \"{0}\"\n",
            data.display()
        );
        let file = home.join("agent.toml");
        fs::write(&file, config).map_err(BenchError::file(&file))?;
        Ok(Self { home, log: consortium.path(&format!("{name}.log")), agent: None })
    }

    /// Signs a policy that runs and releases these protocols by itself.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if the command fails.
    pub fn allow(&self, protocols: &[String]) -> Result<(), BenchError> {
        let policy = format!(
            "profile = \"standard\"\nk = 11\nrun_without_approval = {protocols:?}\n\
             release_without_steward = {protocols:?}\n"
        );
        let file = self.home.join("policy.toml");
        fs::write(&file, policy).map_err(BenchError::file(&file))?;
        ask(AGENT, &self.home, &["policy", "sign"]).map(drop)
    }

    /// Starts the agent.
    ///
    /// # Errors
    ///
    /// [`BenchError`] if it does not start.
    pub fn run(&mut self) -> Result<(), BenchError> {
        self.agent = Some(Service::start(AGENT, &self.home, &self.log)?);
        Ok(())
    }

    /// The agent's process id.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.agent.as_ref().map(Service::pid)
    }

    /// Removes the models fetched so far: many rounds would fill the disk.
    pub fn forget_models(&self) {
        for entry in fs::read_dir(self.home.join("artifacts")).into_iter().flatten().flatten() {
            // A file that stays costs nothing but its place.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn text(answer: &Value, key: &str) -> Result<String, BenchError> {
    let text = answer[key].as_str().map(str::to_owned);
    text.ok_or_else(|| BenchError::unexpected(format!("no `{key}` in {answer}")))
}

/// A port that nobody listens on at this moment.
fn free_port() -> Result<u16, BenchError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(BenchError::file(Path::new("127.0.0.1:0")))
}
