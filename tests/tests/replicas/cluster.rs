//! Three coordinators with the same keys, on one database server and one place of artifacts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use fedval_proto::InviteSiteRequest;
use fedval_proto::operator_service_client::OperatorServiceClient;
use fedval_study::LockedProtocol;
use fedval_tests::consortium::free_port;
use fedval_tests::process::{Answer, binary, call};
use fedval_tests::raw_client::{Party, Target};
use fedval_trust::{Certificate, InvitationId, InviteToken, SecretKey};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::postgres::PostgresServer;
use crate::support::{self, MODEL, STUDY};

/// How many coordinators there are.
pub(crate) const REPLICAS: usize = 3;
/// The database that every server begins with.
const DATABASE: &str = "postgres";
/// A command's exit code where the coordinator is away.
const UNREACHABLE: i32 = 3;
/// How often, a twentieth of a second apart, a replica is looked for.
const MOST_LOOKS: u32 = 1200;

/// The replicas.
pub(crate) struct Cluster {
    replicas: Vec<Replica>,
    server: PostgresServer,
    folder: TempDir,
}

struct Replica {
    home: PathBuf,
    port: u16,
    process: Mutex<Option<Child>>,
}

impl Replica {
    /// Makes the folder: the first one anew, the others with its keys.
    fn make(folder: &Path, number: usize, config: &str) -> Self {
        let (home, port) = (folder.join(format!("replica-{number}")), free_port());
        let first = folder.join("replica-0");
        let listen = format!("127.0.0.1:{port}");
        if number == 0 {
            let made = call("fedval", &home, &["init", "--listen", &listen]);
            assert_eq!(made.code, 0, "{}", made.err);
        } else {
            fs::create_dir_all(home.join("pki")).unwrap();
            for file in fs::read_dir(first.join("pki")).unwrap() {
                let file = file.unwrap();
                fs::copy(file.path(), home.join("pki").join(file.file_name())).unwrap();
            }
        }
        let config = format!("listen = \"{listen}\"\nurl = \"https://localhost:{port}\"\n{config}");
        fs::write(home.join("fedval.toml"), config).unwrap();
        Self { home, port, process: Mutex::new(None) }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }
}

impl Cluster {
    /// Starts the database server and every replica. `artifacts` says where models are, in the
    /// words of `fedval.toml`; where it is empty, in a folder.
    pub(crate) async fn start(artifacts: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = PostgresServer::start();
        let models = folder.path().join("models");
        fs::create_dir(&models).unwrap();
        let models = format!("artifacts = \"{}\"\n", models.display());
        let config = format!(
            "store = \"{}\"\nstore_password_file = \"{}\"\n{}",
            server.tcp_url(DATABASE),
            server.password_file().display(),
            if artifacts.is_empty() { &models } else { artifacts },
        );
        let replica = |number| Replica::make(folder.path(), number, &config);
        let replicas = (0..REPLICAS).map(replica).collect();
        let cluster = Self { replicas, server, folder };
        // At once: they find one schema.
        for replica in 0..REPLICAS {
            cluster.spawn(replica);
        }
        for replica in 0..REPLICAS {
            cluster.until_it_listens(replica).await;
        }
        cluster
    }

    fn spawn(&self, number: usize) {
        let replica = &self.replicas[number];
        let log = fs::File::options().create(true).append(true).open(replica.home.join("log"));
        let process = Command::new(binary("fedval"))
            .args(["serve", "--home"])
            .arg(&replica.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        *replica.process.lock().unwrap() = Some(process);
    }

    async fn until_it_listens(&self, number: usize) {
        let replica = &self.replicas[number];
        for _ in 0..MOST_LOOKS {
            if TcpStream::connect(("127.0.0.1", replica.port)).await.is_ok() {
                return;
            }
            let ended = replica.process.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "replica {number} ended: {}", replica.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("replica {number} does not listen: {}", replica.log());
    }

    /// Starts a replica again.
    pub(crate) async fn start_again(&self, number: usize) {
        self.spawn(number);
        self.until_it_listens(number).await;
    }

    /// Kills a replica: no goodbye, no flush.
    pub(crate) fn kill(&self, number: usize) {
        if let Some(mut process) = self.replicas[number].process.lock().unwrap().take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn ports(&self) -> Vec<u16> {
        self.replicas.iter().map(|replica| replica.port).collect()
    }

    /// A path beside the replicas' folders.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Fingerprint of the consortium's root.
    pub(crate) fn root(&self) -> String {
        let target = Target::of(&self.replicas[0].home, self.replicas[0].port);
        target.root.fingerprint().to_string()
    }

    /// What the database answers.
    pub(crate) fn ask(&self, statement: &str) -> String {
        self.server.ask(DATABASE, statement)
    }

    /// Runs an operator's command against one replica; agents go on meanwhile.
    pub(crate) async fn fedval(&self, replica: usize, args: &[&str]) -> Answer {
        let home = self.replicas[replica].home.clone();
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let run = move || {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            call("fedval", &home, &args)
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// Creates and locks the study: each step at another replica.
    pub(crate) async fn lock_study(&self) -> LockedProtocol {
        fs::write(self.path("cnn.onnx"), MODEL).unwrap();
        let file = self.path("study.toml");
        fs::write(&file, STUDY).unwrap();
        self.fedval(0, &["study", "create", file.to_str().unwrap(), "--json"]).await.json();
        self.fedval(1, &["study", "lock", "chest", "--json"]).await.json();
        support::locked()
    }

    /// Invites so many sites.
    pub(crate) async fn invite(&self, sites: usize) -> Vec<(String, InviteToken)> {
        let replica = &self.replicas[2];
        let read = |name: &str| fs::read_to_string(replica.home.join("pki").join(name)).unwrap();
        let key = SecretKey::from_pem(&read("operator.key")).unwrap();
        let certificate = Certificate::from_pem(&read("operator.pem")).unwrap().der().to_vec();
        let target = Target::of(&replica.home, replica.port);
        let channel = target.channel(&Party { key, certificate });
        let mut operator = OperatorServiceClient::new(channel);
        let mut tokens = Vec::new();
        for number in 1..=sites {
            let site = format!("site-{number:02}");
            let request = InviteSiteRequest { site: site.clone(), valid_hours: 24 };
            let invited = operator.invite_site(request).await.unwrap().into_inner();
            let id = InvitationId::from_bytes(invited.invitation.try_into().unwrap());
            let secret = invited.token.try_into().unwrap();
            tokens.push((site, InviteToken::from_parts(id, secret, target.root.fingerprint())));
        }
        tokens
    }

    /// Sends the study once all are enrolled, to whichever replica takes the order.
    pub(crate) async fn dispatch_when_all(
        &self,
        agents: usize,
        mut enrolled: watch::Receiver<usize>,
    ) {
        enrolled.wait_for(|enrolled| *enrolled == agents).await.unwrap();
        for attempt in 0..MOST_LOOKS as usize {
            let command = ["study", "dispatch", "chest", "--json"];
            let sent = self.fedval(attempt % REPLICAS, &command).await;
            if sent.code == 0 {
                assert_eq!(sent.json()["round"], "chest-r1");
                return;
            }
            // Killed before or while it answered.
            assert_eq!(sent.code, UNREACHABLE, "{}", sent.err);
        }
        panic!("no replica takes the order");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for replica in 0..REPLICAS {
            self.kill(replica);
        }
    }
}
