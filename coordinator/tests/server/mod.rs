//! The real binary, its folder, and connections to it over real TLS.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fedval_ambient::{OsEntropy, SystemClock};
use fedval_proto as proto;
use fedval_proto::enrolment_service_client::EnrolmentServiceClient;
use fedval_trust::authority::signing_request;
use fedval_trust::{Authority, Certificate, InviteToken, Role, SecretKey, tls};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint, Uri};

/// How long a server may take to listen.
const START_SECONDS: u64 = 60;

/// A coordinator's folder with the command line over it.
pub(crate) struct Coordinator {
    folder: TempDir,
    pub(crate) port: u16,
    server: Option<Child>,
    log: Arc<Mutex<Vec<String>>>,
}

/// A key with its certificate.
pub(crate) struct Party {
    pub(crate) key: SecretKey,
    pub(crate) certificate: Certificate,
}

impl Coordinator {
    /// Runs `fedval init` in a new folder.
    pub(crate) fn init() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let coordinator = Self { folder, port, server: None, log: Arc::default() };
        coordinator.run(&["init", "--listen", &format!("127.0.0.1:{port}")]).done();
        coordinator
    }

    /// Runs `fedval init` and `fedval serve`, and waits until it listens.
    pub(crate) fn serve() -> Self {
        Self::serve_after(|_| {})
    }

    /// The same, with something done to the new folder before the server starts.
    pub(crate) fn serve_after(prepare: impl Fn(&Self)) -> Self {
        let started = || {
            let coordinator = Self::init();
            prepare(&coordinator);
            coordinator.started()
        };
        // Another process may have taken the port since it was found free: then once more.
        (0..5).find_map(|_| started()).expect("a port stays free for a moment")
    }

    /// Adds a line to the configuration.
    pub(crate) fn configure(&self, line: &str) {
        let file = self.home().join("fedval.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}\n{line}\n")).unwrap();
    }

    /// The running server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.server.as_ref().expect("the server runs").id()
    }

    /// The most memory that the server ever held, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        kib * 1024
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Waits until the server has logged `text`.
    pub(crate) async fn logged(&self, text: &str) {
        let waited = async {
            while !self.log().contains(text) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(1), waited).await;
        waited.unwrap_or_else(|_| panic!("`{text}` is not in {}", self.log()));
    }

    fn started(mut self) -> Option<Self> {
        let mut server =
            self.command(&["--log-json", "serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(server.stderr.take().unwrap());
        self.server = Some(server);
        let (sender, started) = channel();
        let kept = Arc::clone(&self.log);
        // Reads to the end, so that the server never waits for a full pipe.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains("coordinator started") {
                    sender.send(()).ok();
                }
                kept.lock().unwrap().push(line);
            }
        });
        match started.recv_timeout(Duration::from_secs(START_SECONDS)) {
            Ok(()) => Some(self),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the server neither listens nor ends"),
        }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A path beside the coordinator's own folder.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        Self::command_at(&self.home(), args)
    }

    fn command_at(home: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedval"));
        command.arg("--home").arg(home).args(args).stdin(Stdio::null());
        command
    }

    /// Runs one command to its end from another folder than the coordinator's own.
    pub(crate) fn run_at(home: &Path, args: &[&str]) -> Ran {
        Ran(Self::command_at(home, args).output().unwrap())
    }

    /// Runs one command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran(self.command(args).output().unwrap())
    }

    /// Runs one command with `--json`, which must succeed, and reads its answer.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[&["--json"], args].concat());
        let text = ran.done();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
    }

    pub(crate) fn party(&self, name: &str) -> Party {
        Self::party_in(&self.home(), name)
    }

    /// A person whom the operator admits.
    pub(crate) fn admit(&self, name: &str, role: &str) -> Party {
        let folder = self.beside(name);
        let out = folder.to_str().unwrap();
        self.run(&["person", "admit", name, "--role", role, "--out", out]).done();
        Self::party_in(&folder, "operator")
    }

    fn party_in(home: &Path, name: &str) -> Party {
        let read = |extension: &str| {
            let file = home.join("pki").join(format!("{name}.{extension}"));
            std::fs::read_to_string(file).unwrap()
        };
        Party {
            key: SecretKey::from_pem(&read("key")).unwrap(),
            certificate: Certificate::from_pem(&read("pem")).unwrap(),
        }
    }

    pub(crate) fn root(&self) -> Certificate {
        self.party("root").certificate
    }

    pub(crate) fn authority(&self) -> Authority {
        let Party { key, certificate } = self.party("root");
        Authority::from_parts(key, certificate)
    }

    /// A connection that shows `party`'s certificate.
    pub(crate) fn channel(&self, party: &Party) -> Channel {
        let config = tls::client_config(&self.root(), &party.certificate, &party.key).unwrap();
        self.connect(Arc::new(config))
    }

    /// A connection that shows no certificate.
    pub(crate) fn anonymous(&self) -> Channel {
        self.connect(Arc::new(tls::enrolment_config(self.root().fingerprint()).unwrap()))
    }

    fn connect(&self, config: Arc<tokio_rustls::rustls::ClientConfig>) -> Channel {
        let origin: Uri = format!("https://localhost:{}", self.port).parse().unwrap();
        let endpoint = Endpoint::from_shared(format!("http://localhost:{}", self.port))
            .unwrap()
            .origin(origin);
        let port = self.port;
        endpoint.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
            let config = Arc::clone(&config);
            async move { tls::dial(config, "localhost", port).await.map(TokioIo::new) }
        }))
    }

    /// Invites a site on the command line and enrols it over the wire.
    pub(crate) async fn enrol(&self, name: &str) -> Party {
        let invited = self.json(&["site", "invite", name]);
        let token: InviteToken = invited["token"].as_str().unwrap().parse().unwrap();
        let key = SecretKey::generate(&OsEntropy);
        let request = proto::EnrolRequest {
            token: token.secret().to_vec(),
            invitation: token.id().as_bytes().to_vec(),
            certificate_signing_request: signing_request(&key).unwrap(),
        };
        let mut client = EnrolmentServiceClient::new(self.anonymous());
        let enrolled = client.enrol(request).await.unwrap().into_inner();
        assert_eq!((enrolled.site.as_str(), &enrolled.root[..]), (name, self.root().der()));
        Party { key, certificate: Certificate::from_der(&enrolled.certificate).unwrap() }
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(server.kill());
            drop(server.wait());
        }
    }
}

/// A party that `authority` certified for `role`.
pub(crate) fn certified(authority: &Authority, role: &Role) -> Party {
    let key = SecretKey::generate(&OsEntropy);
    let certificate = authority.issue(role, &key, &[], 30, &SystemClock, &OsEntropy).unwrap();
    Party { key, certificate }
}

/// A finished command.
pub(crate) struct Ran(pub(crate) Output);

impl Ran {
    /// Its exit code.
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().expect("no signal ended it")
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// What it printed; it must have succeeded.
    #[track_caller]
    pub(crate) fn done(&self) -> String {
        assert_eq!(self.code(), 0, "{}{}", self.stdout(), self.stderr());
        self.stdout()
    }

    /// What it printed on standard error; it must have failed with `exit` and the stable `code`.
    #[track_caller]
    pub(crate) fn refused(&self, exit: i32, code: &str) -> String {
        let text = self.stderr();
        assert_eq!(self.code(), exit, "{text}");
        assert!(text.contains(&format!("code   {code}")), "not {code}: {text}");
        text
    }
}

/// Writes the study of the tests with its model into `folder`, and gives its path.
pub(crate) fn write_study(folder: &Path, text: &str, model: &[u8]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("cnn.onnx"), model).unwrap();
    let file = folder.join("study.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// A path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}
