//! A real PACS on this machine: Orthanc, with its DICOMweb services or without, each in a folder of its own.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::consortium::{free_port, until};

/// Where Debian's packages `orthanc` and `orthanc-dicomweb` lie.
const PROGRAM: &str = "/usr/sbin/Orthanc";
const DICOMWEB: &str = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";
const USER: &str = "fedval";
/// Base64 of `fedval:ZZSECRET-pacs`.
const BASIC: &str = "ZmVkdmFsOlpaU0VDUkVULXBhY3M=";

/// What its user is asked for.
pub const PASSWORD: &str = "ZZSECRET-pacs";
/// Title of its application entity, and the one that it knows besides.
pub const PACS_TITLE: &str = "ZZARCHIVE";
/// Title of the agent's application entity.
pub const AGENT_TITLE: &str = "ZZAGENT";

/// A PACS, stopped when dropped.
#[derive(Debug)]
pub struct Orthanc {
    folder: TempDir,
    port: u16,
    dicom_port: u16,
    program: Child,
}

/// Whether it is installed; says so aloud where it is not.
///
/// # Panics
///
/// In CI: a check that is skipped there would pass for ever.
#[must_use]
pub fn is_there() -> bool {
    if Path::new(PROGRAM).exists() && Path::new(DICOMWEB).exists() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "orthanc and orthanc-dicomweb are not installed");
    let _ = std::io::stderr().write_all(b"skipped: orthanc and orthanc-dicomweb are not here\n");
    false
}

impl Orthanc {
    /// Starts an empty one with web services alone, which asks for a password or not.
    ///
    /// # Panics
    ///
    /// If it does not come up.
    #[must_use]
    pub fn start(asks_for_password: bool) -> Self {
        Self::launch(json!({
            "DicomServerEnabled": false, "AuthenticationEnabled": asks_for_password,
            "RegisteredUsers": { USER: PASSWORD },
            "Plugins": [DICOMWEB], "DicomWeb": { "Enable": true, "Root": "/dicom-web/" },
        }))
    }

    /// Starts an empty one without web services, which lets the agent's title find, get and move images,
    /// and knows it to listen at the port `arrivals` of this machine.
    ///
    /// # Panics
    ///
    /// If it does not come up.
    #[must_use]
    pub fn start_with_dimse(arrivals: u16) -> Self {
        Self::launch(json!({
            "DicomServerEnabled": true, "DicomAet": PACS_TITLE, "DicomCheckCalledAet": true,
            "DicomCheckModalityHost": true, "AuthenticationEnabled": false,
            "DicomAlwaysAllowEcho": false, "DicomAlwaysAllowFind": false,
            "DicomAlwaysAllowGet": false, "DicomAlwaysAllowMove": false,
            "DicomAlwaysAllowStore": false,
            "DicomModalities": { "agent": {
                "AET": AGENT_TITLE, "Host": "127.0.0.1", "Port": arrivals,
                "AllowEcho": true, "AllowFind": true, "AllowGet": true, "AllowMove": true,
                "AllowStore": false,
            } },
        }))
    }

    fn launch(mut config: Value) -> Self {
        let (folder, port) = (TempDir::new().expect("a temporary folder"), free_port());
        let (store, dicom_port) = (folder.path().join("store"), free_port());
        let place = json!({
            "Name": "PACS", "StorageDirectory": store, "IndexDirectory": store, "HttpPort": port,
            "DicomPort": dicom_port, "RemoteAccessAllowed": false,
        });
        let all = config.as_object_mut().expect("an object");
        all.extend(place.as_object().expect("an object").clone());
        let file = folder.path().join("orthanc.json");
        fs::write(&file, config.to_string()).expect("a writable folder");
        let log = fs::File::create(folder.path().join("orthanc.log")).expect("a writable folder");
        let program = Command::new(PROGRAM)
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("Orthanc starts");
        let orthanc = Self { folder, port, dicom_port, program };
        until("the PACS answers", || orthanc.ask("GET", "/system", &[]).map(drop));
        orthanc
    }

    /// Where it listens for associations.
    #[must_use]
    pub fn dimse_address(&self) -> String {
        format!("127.0.0.1:{}", self.dicom_port)
    }

    /// Where it listens for its web services.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Root of its DICOMweb services.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/dicom-web", self.port)
    }

    /// A file with what its user is asked for, readable by its owner alone.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[must_use]
    pub fn credentials(&self, password: &str) -> PathBuf {
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = self.folder.path().join("credentials");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut opened = options.open(&file).expect("a writable folder");
        writeln!(opened, "{USER}:{password}").expect("a writable folder");
        file
    }

    /// Puts a DICOM file into it, as a scanner would.
    ///
    /// # Panics
    ///
    /// If it does not take it.
    pub fn store(&self, file: &[u8]) {
        assert!(self.ask("POST", "/instances", file).is_some(), "the PACS takes the file");
    }

    /// Asks over a connection of its own; `None` if nobody answers, or with anything else than 200.
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Option<Vec<u8>> {
        #[expect(clippy::disallowed_methods, reason = "the scanner's side, not the agent's")]
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {BASIC}\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        answer.starts_with(b"HTTP/1.1 200 ").then_some(answer)
    }
}

impl Drop for Orthanc {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
