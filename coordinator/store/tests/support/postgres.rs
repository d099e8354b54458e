//! A PostgreSQL server for one test: its own data folder, gone with the test.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The server's administrator.
const USER: &str = "fedval";
/// What it asks of whoever comes over the network.
const PASSWORD: &str = "correct horse: battery/staple@";
/// How often, a tenth of a second apart, the server is asked whether it is ready.
const MOST_LOOKS: u32 = 600;

/// A running server. Over its socket everybody is let in; over TCP with a password.
#[derive(Debug)]
pub(crate) struct PostgresServer {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl PostgresServer {
    /// Makes a data folder and starts a server in it. Fails where PostgreSQL is not installed.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("fedval-pg").tempdir().expect("a folder");
        if let Some((user, group)) = unprivileged() {
            chown(folder.path(), Some(user), Some(group)).expect("root gives the folder away");
        }
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("the folder is writable");
        let data = folder.path().join("data");
        fill(&data, &password);
        // Taken again by the server in a moment; a stranger who comes between makes it fail loudly.
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let process = serve(folder.path(), &data, port);
        let mut server = Self { folder, port, process };
        server.wait_until_ready();
        server
    }

    /// The URL of a database, over the socket.
    pub(crate) fn url(&self, database: &str) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{socket}:{}/{database}", self.port)
    }

    /// The URL of a database, over TCP: it needs the password.
    #[allow(dead_code, reason = "not every suite asks for a password")]
    pub(crate) fn tcp_url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// A file with the password.
    #[allow(dead_code, reason = "not every suite asks for a password")]
    pub(crate) fn password_file(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    /// What a statement answers, one row a line, columns apart by `|`.
    #[allow(dead_code, reason = "not every suite asks the server itself")]
    pub(crate) fn ask(&self, database: &str, statement: &str) -> String {
        let asked = program("psql")
            .args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", statement])
            .arg(self.url(database))
            .output();
        let answer = asked.expect("psql runs");
        succeeded(statement, &answer);
        String::from_utf8(answer.stdout).expect("psql prints text").trim_end().to_owned()
    }

    fn wait_until_ready(&mut self) {
        for _ in 0..MOST_LOOKS {
            if let Some(status) = self.process.try_wait().expect("our own child") {
                panic!("the server ended with {status}: {}", self.log());
            }
            let mut ready = program("pg_isready");
            ready.arg("--quiet").arg("--host").arg(self.folder.path());
            ready.arg("--port").arg(self.port.to_string());
            if ready.status().expect("pg_isready runs").success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not get ready: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let _ = program("pg_ctl")
            .args(["stop", "--silent", "--mode=immediate", "--pgdata"])
            .arg(data)
            .status();
        let _ = self.process.wait();
    }
}

/// Makes a data folder, or copies the one that a test made before: a hundred tests take theirs, and making one is the
/// slowest part of most.
fn fill(data: &Path, password: &Path) {
    let version = installed("initdb").display().to_string().replace('/', "-");
    let known = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("postgres{version}"));
    if known.exists() {
        return copy(&known, data);
    }
    let made = program("initdb")
        .args(["--no-sync", "--encoding=UTF8", "--locale=C", "--wal-segsize=1"])
        .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
        .arg(format!("--username={USER}"))
        .arg(format!("--pwfile={}", password.display()))
        .arg("--pgdata")
        .arg(data)
        .output();
    succeeded("initdb", &made.expect("initdb runs"));
    let ours = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    copy(data, &ours.path().join("data"));
    // Whole or not at all; where another test was faster, its folder is as good.
    let _ = fs::rename(ours.path().join("data"), known);
}

/// With owners and modes.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("--archive").arg(from).arg(to).output();
    succeeded("cp", &copied.expect("cp runs"));
}

fn serve(folder: &Path, data: &Path, port: u16) -> Child {
    let log = fs::File::create(folder.join("log")).expect("the folder is writable");
    program("postgres")
        .arg("-D")
        .arg(data)
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=on", "-c", "max_connections=100"])
        .args(["-c", "shared_buffers=16MB", "-c", &format!("port={port}")])
        .args(["-c", &format!("unix_socket_directories={}", folder.display())])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("postgres starts")
}

/// A program of the server's package, by a user that it runs as, ended with the thread that began it.
fn program(name: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if let Some((user, group)) = unprivileged() {
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
        command.arg("--clear-groups");
    }
    command.arg(installed(name)).env_remove("PGPASSWORD").current_dir("/");
    command
}

/// The newest installed version's program.
fn installed(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin").join(name)))
        })
        .filter(|(_, program)| program.exists())
        .collect();
    found.sort();
    let (_, program) = found.pop().unwrap_or_else(|| {
        panic!("PostgreSQL is not installed ({name} is missing): apt-get install postgresql")
    });
    program
}

/// The user and group `postgres`, where we are root: the server refuses to run as root.
fn unprivileged() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("every machine lists its users");
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let line = line.expect("PostgreSQL is not installed: apt-get install postgresql");
    let mut fields = line.split(':').skip(2);
    let mut number = || fields.next().and_then(|field| field.parse().ok());
    Some((number().expect("a user's number"), number().expect("a group's number")))
}

fn succeeded(what: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
}
