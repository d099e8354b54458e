//! Three engines on the same models: the embedded one, ONNX Runtime in a box, and MLServer, a server that others
//! wrote, over the Open Inference Protocol.
//!
//! MLServer is the program that `FEDVAL_MLSERVER` names; `tests/run.sh` installs it. Without it this test fails.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use fedval_inference::{LoadError, ModelServer, ServedModel, ServedName, ServerSettings};
use fedval_study::digest::Sha256Digest;
use fedval_study::protocol::ModelSpecification;
use libtest_mimic::Trial;
use serde_json::json;
use tempfile::TempDir;

use crate::onnx_file::{bytes, specification, tiny_cnn};
use crate::onnx_runtime::load_here_as;
use crate::{LIMITS, Radiographs, load, radiographs, score, trial};

/// Twice a second, for as long as a slow machine takes to import everything.
const LOOKS: u32 = 240;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("three_engines_agree_one_of_them_behind_a_real_server", agree())]
}

/// A model as a site loads it into its server.
struct Loaded {
    name: &'static str,
    bytes: Vec<u8>,
    specification: ModelSpecification,
    images: Vec<Vec<f32>>,
}

async fn agree() {
    let tiny = bytes(tiny_cnn());
    let tensor: Vec<f32> = (0_u8..16).map(|place| 0.5 + f32::from(place) / 40.0).collect();
    let mut models = vec![Loaded {
        name: "tiny",
        specification: specification(&tiny),
        bytes: tiny,
        images: vec![vec![0.5; 16], vec![1.0; 16], tensor],
    }];
    // Where that data set is at hand.
    if let Some(Radiographs { model: bytes, specification, cases }) = radiographs() {
        let images = cases.into_iter().map(|(image, _)| image).collect();
        models.push(Loaded { name: "radiographs", bytes, specification, images });
    }
    let server = MlServer::start(&models);
    let site = server.site(&models).await;
    for model in &models {
        let mut embedded = load(&model.specification, &model.bytes).await.unwrap();
        let mut runtime = load_here_as(&model.specification, &model.bytes).await.unwrap();
        let mut remote = ServedModel::load(&site, &LIMITS, &model.specification).await.unwrap();
        for image in &model.images {
            let one = score(&mut embedded, image).await.unwrap();
            let other = score(&mut runtime, image).await.unwrap();
            let third = remote.scores(image).await.unwrap().open_on_site()[0];
            assert!((one - other).abs() < 1e-4, "{}: {one} and {other}", model.name);
            assert!((one - third).abs() < 1e-4, "{}: {one} and {third}", model.name);
            let again = remote.scores(image).await.unwrap().open_on_site()[0];
            assert_eq!(third.to_bits(), again.to_bits(), "{}", model.name);
        }
    }
    // A model that it does not have.
    let other = server.names([(models[0].specification.digest.0, "absent")].into_iter());
    let refused = ServedModel::load(&other, &LIMITS, &models[0].specification).await.unwrap_err();
    assert!(matches!(refused, LoadError::ServerNotReady), "{refused:?}");
}

/// A running MLServer.
struct MlServer {
    program: Child,
    folder: TempDir,
    port: u16,
}

impl MlServer {
    fn start(models: &[Loaded]) -> Self {
        let program = std::env::var_os("FEDVAL_MLSERVER");
        let program = program.expect("FEDVAL_MLSERVER names mlserver, as tests/run.sh says");
        let folder = tempfile::tempdir().unwrap();
        let code = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mlserver/served.py");
        fs::copy(code, folder.path().join("served.py")).unwrap();
        let [http, grpc, metrics] = free_ports();
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
        let program = Command::new(program)
            .args(["start", "."])
            .current_dir(folder.path())
            .env("PYTHONPATH", folder.path())
            .env("ORT_DISABLE_TELEMETRY", "1")
            .stdout(log())
            .stderr(log())
            .spawn()
            .unwrap();
        Self { program, folder, port: grpc }
    }

    /// The server as its site names it.
    fn names<'n>(&self, models: impl Iterator<Item = (Sha256Digest, &'n str)>) -> ModelServer {
        let named = models.map(|(digest, name)| {
            (digest, ServedName { name: name.to_owned(), version: "1".to_owned() })
        });
        ModelServer::new(ServerSettings {
            address: format!("http://127.0.0.1:{}", self.port),
            authorities: Vec::new(),
            models: named.collect(),
            parallel_requests: 1,
        })
        .unwrap()
    }

    /// The same once it serves everything.
    async fn site(&self, models: &[Loaded]) -> ModelServer {
        let named = models.iter().map(|model| (model.specification.digest.0, model.name));
        let site = self.names(named);
        let mut serves = false;
        for _ in 0..LOOKS {
            serves = site.check().await.is_ok();
            if serves {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(serves, "MLServer does not serve: {log}");
        site
    }
}

impl Drop for MlServer {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Loaded {
    /// The model's folder in the server's repository.
    fn write(&self, repository: &Path) {
        let folder = repository.join(self.name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("model.onnx"), &self.bytes).unwrap();
        let (input, output) = (&self.specification.input, &self.specification.output);
        let settings = json!({
            "name": self.name,
            "implementation": "served.Served",
            "parameters": { "uri": "./model.onnx", "version": "1" },
            "inputs": [{
                "name": input.name,
                "datatype": "FP32",
                "shape": [-1, input.channels, input.height, input.width],
            }],
            "outputs": [{ "name": output.name, "datatype": "FP32", "shape": [-1, 1] }],
        });
        fs::write(folder.join("model-settings.json"), settings.to_string()).unwrap();
    }
}

/// Ports that nobody listens at, until somebody does.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.each_ref().map(|listener| listener.local_addr().unwrap().port())
}
