//! Servers that others wrote, as processes of their own: MLServer, KServe and Triton, each with ONNX Runtime inside.
//!
//! They are what `FEDVAL_MLSERVER`, `FEDVAL_KSERVE` and `FEDVAL_TRITON` name; `tests/run.sh` installs them. Without them
//! tests fail.

#![allow(dead_code, reason = "every test that includes this module uses another part of it")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use fedval_inference::{ModelServer, ServedName, ServerSettings};
use fedval_study::digest::Sha256Digest;
use fedval_study::protocol::ModelSpecification;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Twice a second, for as long as a slow machine takes to import everything.
const LOOKS: u32 = 240;

/// The version of every model.
const VERSION: &str = "1";

/// What the servers run, and what they import.
const CODE: [(&str, &str); 3] = [
    ("kserve_server.py", include_str!("kserve_server.py")),
    ("mlserver_model.py", include_str!("mlserver_model.py")),
    ("sent.py", include_str!("sent.py")),
];

/// The code of a model in Triton's repository, which stands in the folder of its version.
const TRITON_MODEL: &str = include_str!("triton_model.py");

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    MlServer,
    KServe,
    Triton,
}

impl Maker {
    /// What starts the server that serves what lies in its working folder.
    fn command(self, [http, grpc, _]: [u16; 3]) -> Command {
        let variable = match self {
            Self::MlServer => "FEDVAL_MLSERVER",
            Self::KServe => "FEDVAL_KSERVE",
            Self::Triton => "FEDVAL_TRITON",
        };
        let program = std::env::var_os(variable);
        let program = program.unwrap_or_else(|| panic!("{variable} is set by tests/run.sh"));
        let mut command = Command::new(program);
        match self {
            // Its ports stand in a file.
            Self::MlServer => command.args(["start", "."]),
            Self::KServe => command.args([
                "kserve_server.py",
                &format!("--http_port={http}"),
                &format!("--grpc_port={grpc}"),
            ]),
            Self::Triton => command.args([
                "--model-repository=.",
                // Folders that Python makes beside them are no models.
                "--exit-on-error=false",
                "--allow-metrics=false",
                "--http-address=127.0.0.1",
                &format!("--http-port={http}"),
                "--grpc-address=127.0.0.1",
                &format!("--grpc-port={grpc}"),
                // What came with a request is seen by the model.
                "--grpc-header-forward-pattern=.*",
            ]),
        };
        command
    }

    /// Whether it serves a model of which nobody wrote down what it takes and gives.
    pub(crate) const fn serves_undescribed(self) -> bool {
        !matches!(self, Self::Triton)
    }

    /// Whether it refuses large messages unless it is told to take them.
    pub(crate) const fn limits_messages(self) -> bool {
        !matches!(self, Self::Triton)
    }
}

/// A model as a site loads it into its server.
pub(crate) struct Loaded {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) specification: ModelSpecification,
    /// Whether whoever loaded it wrote down what it takes and gives.
    pub(crate) is_described: bool,
    /// What it says instead of a score, if anything.
    pub(crate) fault: &'static str,
}

impl Loaded {
    pub(crate) fn new(
        name: &'static str,
        bytes: &[u8],
        specification: &ModelSpecification,
    ) -> Self {
        let (bytes, specification) = (bytes.to_vec(), specification.clone());
        Self { name, bytes, specification, is_described: true, fault: "" }
    }

    /// The model's folder in the server's repository, laid out as MLServer and Triton want it.
    fn write(&self, repository: &Path) {
        let folder = repository.join(self.name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("model.onnx"), &self.bytes).unwrap();
        let (input, output) = (&self.specification.input, &self.specification.output);
        let mut settings = json!({
            "name": self.name,
            "implementation": "mlserver_model.Served",
            "parameters": {
                "uri": "./model.onnx",
                "version": VERSION,
                "extra": { "fault": self.fault },
            },
        });
        if self.is_described {
            let shape = json!([-1, input.channels, input.height, input.width]);
            settings["inputs"] =
                json!([{ "name": input.name, "datatype": "FP32", "shape": shape }]);
            settings["outputs"] =
                json!([{ "name": output.name, "datatype": "FP32", "shape": [-1, 1] }]);
        }
        fs::write(folder.join("model-settings.json"), settings.to_string()).unwrap();
        fs::create_dir(folder.join(VERSION)).unwrap();
        fs::write(folder.join(VERSION).join("model.py"), TRITON_MODEL).unwrap();
        fs::write(folder.join("config.pbtxt"), self.triton_configuration()).unwrap();
    }

    fn triton_configuration(&self) -> String {
        let (input, output) = (&self.specification.input, &self.specification.output);
        let shape = format!("-1, {}, {}, {}", input.channels, input.height, input.width);
        format!(
            "backend: \"python\"\n\
             input [{{ name: \"{}\" data_type: TYPE_FP32 dims: [{shape}] }}]\n\
             output [{{ name: \"{}\" data_type: TYPE_FP32 dims: [-1, 1] }}]\n\
             instance_group [{{ kind: KIND_CPU }}]\n",
            input.name, output.name
        )
    }
}

/// A running server. Its working folder is its repository of models; it ends with the test.
pub(crate) struct RealServer {
    pub(crate) maker: Maker,
    program: Child,
    folder: TempDir,
    port: u16,
}

impl RealServer {
    pub(crate) fn start(maker: Maker, models: &[Loaded]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, code) in CODE {
            fs::write(folder.path().join(name), code).unwrap();
        }
        let ports @ [http, grpc, metrics] = free_ports();
        let settings = json!({
            "host": "127.0.0.1",
            "http_port": http,
            "grpc_port": grpc,
            "metrics_port": metrics,
            "parallel_workers": 0,
        });
        fs::write(folder.path().join("settings.json"), settings.to_string()).unwrap();
        for model in models {
            model.write(folder.path());
        }
        let log = || {
            let log = folder.path().join("log");
            fs::File::options().create(true).append(true).open(log).unwrap()
        };
        let program = maker
            .command(ports)
            .current_dir(folder.path())
            .env("PYTHONPATH", folder.path())
            .env("ORT_DISABLE_TELEMETRY", "1")
            // What the first start compiles is there for all others.
            .env_remove("PYTHONDONTWRITEBYTECODE")
            .stdout(log())
            .stderr(log())
            .spawn()
            .unwrap();
        Self { maker, program, folder, port: grpc }
    }

    /// The server as its site's configuration names it: what it calls the model of a digest.
    pub(crate) fn names(&self, models: &[(Sha256Digest, &str)]) -> ModelServer {
        let named = models.iter().map(|&(digest, name)| {
            (digest, ServedName { name: name.to_owned(), version: VERSION.to_owned() })
        });
        ModelServer::new(ServerSettings {
            address: format!("http://127.0.0.1:{}", self.port),
            authorities: Vec::new(),
            models: named.collect(),
            parallel_requests: 1,
        })
        .unwrap()
    }

    /// The same with one model, as soon as the server serves it.
    pub(crate) async fn serving(&self, digest: Sha256Digest, name: &str) -> ModelServer {
        let site = self.names(&[(digest, name)]);
        for _ in 0..LOOKS {
            if site.check().await.is_ok() {
                return site;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("{:?} does not serve {name}: {}", self.maker, self.log());
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// All that came with each request for `model`, in order.
    pub(crate) fn sent(&self, model: &str) -> Vec<Value> {
        let sent = fs::read_to_string(self.folder.path().join("sent")).unwrap_or_default();
        let sent = sent.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        sent.filter(|sent| sent["model"] == model).collect()
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        if self.maker == Maker::Triton {
            // It ends the processes of its models, and gives back what memory they share.
            let _ = Command::new("kill").arg(self.program.id().to_string()).status();
            for _ in 0..LOOKS {
                if !matches!(self.program.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The digests of the images that were sent, in order; all else that was sent must be the same each time.
pub(crate) fn only_images_differ(mut sent: Vec<Value>) -> Vec<String> {
    let take = |sent: &mut Value| sent["image"].take().as_str().unwrap().to_owned();
    let images = sent.iter_mut().map(take).collect();
    for (one, next) in sent.iter().zip(sent.iter().skip(1)) {
        assert_eq!(one, next, "something tells a case from another");
    }
    images
}

/// Ports that nobody listens at, until somebody does.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.each_ref().map(|listener| listener.local_addr().unwrap().port())
}
