//! The `[inference]` table of `agent.toml`: who runs the models.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use fedval_ambient::Failure;
use fedval_inference::{ModelEngine, ModelServer, RuntimeLibrary, ServedName, ServerSettings};
use fedval_study::Sha256Digest;
use serde::Deserialize;

use crate::secret_file::{absolute, authorities, invalid};

/// Who runs the models, and who looks at a few cases too.
#[derive(Debug, Clone)]
pub(crate) struct Engines {
    /// Runs every case.
    pub(crate) engine: ModelEngine,
    /// Runs some too, and must come to the same scores.
    pub(crate) second: Option<ModelEngine>,
}

/// Who runs the models.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InferenceConfig {
    engine: EngineName,
    /// ONNX Runtime's library.
    #[serde(rename = "library")]
    onnx_runtime: Option<PathBuf>,
    /// Its digest, as `sha256sum` prints it.
    #[serde(rename = "library_sha256")]
    onnx_runtime_sha256: Option<Sha256Digest>,
    /// The inference server. Default: none.
    server: Option<String>,
    /// What certified it. Default: what this system trusts.
    ca: Option<PathBuf>,
    /// What it serves.
    models: Vec<ModelOnServer>,
    /// Requests beside each other. Default: as many as there are lanes.
    parallel_requests: Option<usize>,
    /// Default: false.
    compare: bool,
}

/// How an engine is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EngineName {
    #[default]
    Embedded,
    OnnxRuntime,
    Remote,
}

/// A model on the inference server, as somebody here loaded it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelOnServer {
    /// Digest of the file that was loaded there.
    model_sha256: Sha256Digest,
    name: String,
    /// Default: the server's choice.
    #[serde(default)]
    version: String,
}

impl fmt::Debug for InferenceConfig {
    /// Without the server's address, in which somebody may have written a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InferenceConfig").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl InferenceConfig {
    /// The engines, of which no server was asked yet. Reads the files that the table names, and refuses keys of
    /// which one would silently count for nothing.
    pub(crate) fn engines(&self, lanes: usize) -> Result<Engines, Failure> {
        let engine = self.engine(lanes)?;
        let other = || match self.engine {
            EngineName::Embedded => self.onnx_runtime(),
            EngineName::OnnxRuntime | EngineName::Remote => Ok(ModelEngine::Embedded),
        };
        let second = self.compare.then(other).transpose()?;
        Ok(Engines { engine, second })
    }

    /// The engine that runs every case, as [`Self::engines`] does and without the second: no file is read for that one.
    pub(crate) fn engine(&self, lanes: usize) -> Result<ModelEngine, Failure> {
        self.check_keys()?;
        match self.engine {
            EngineName::Embedded => Ok(ModelEngine::Embedded),
            EngineName::OnnxRuntime => self.onnx_runtime(),
            EngineName::Remote => self.server(lanes),
        }
    }

    /// Whether a server runs the models.
    pub(crate) fn is_remote(&self) -> bool {
        self.engine == EngineName::Remote
    }

    /// Refuses keys of which one would silently count for nothing.
    fn check_keys(&self) -> Result<(), Failure> {
        let wants_library = self.engine == EngineName::OnnxRuntime
            || (self.engine == EngineName::Embedded && self.compare);
        if (self.onnx_runtime.is_some() || self.onnx_runtime_sha256.is_some()) && !wants_library {
            let message = "library and library_sha256 are for engine = \"onnx_runtime\", or for \
                           compare = true beside the embedded engine";
            return Err(invalid(message));
        }
        let names_server = self.server.is_some()
            || self.ca.is_some()
            || !self.models.is_empty()
            || self.parallel_requests.is_some();
        if names_server && self.engine != EngineName::Remote {
            let message = "server, ca, models and parallel_requests are for engine = \"remote\"";
            return Err(invalid(message));
        }
        Ok(())
    }

    /// What is said of the engine on this site's screens.
    pub(crate) fn describe(&self) -> &'static str {
        match (self.engine, self.compare) {
            (EngineName::Embedded, false) => "the embedded engine",
            (EngineName::Embedded, true) => "the embedded engine, compared with ONNX Runtime",
            (EngineName::OnnxRuntime, false) => "ONNX Runtime, the library that is pinned",
            (EngineName::OnnxRuntime, true) => "ONNX Runtime, compared with the embedded engine",
            (EngineName::Remote, false) => "an inference server, which serves what is named",
            (EngineName::Remote, true) => "an inference server, compared with the embedded engine",
        }
    }

    fn onnx_runtime(&self) -> Result<ModelEngine, Failure> {
        let (Some(library), Some(pinned)) = (&self.onnx_runtime, &self.onnx_runtime_sha256) else {
            let message = "ONNX Runtime needs library, the path of libonnxruntime.so, and \
                           library_sha256, its digest as sha256sum prints it";
            return Err(invalid(message));
        };
        Ok(ModelEngine::OnnxRuntime(RuntimeLibrary::open(absolute(library)?, pinned)?))
    }

    fn server(&self, lanes: usize) -> Result<ModelEngine, Failure> {
        let Some(address) = &self.server else {
            return Err(invalid("engine = \"remote\" needs server, the address of its gRPC port"));
        };
        // Nobody is trusted without TLS, so nothing is read for that.
        let authorities = if address.starts_with("https://") {
            authorities(self.ca.as_deref())?.unwrap_or_default()
        } else if self.ca.is_some() {
            return Err(invalid("ca is for a server that is spoken to by https://"));
        } else {
            Vec::new()
        };
        let mut models = BTreeMap::new();
        for model in &self.models {
            let name = ServedName { name: model.name.clone(), version: model.version.clone() };
            if model.name.is_empty() || models.insert(model.model_sha256, name).is_some() {
                return Err(invalid("each model of [[inference.models]] is named once"));
            }
        }
        let settings = ServerSettings {
            address: address.clone(),
            authorities,
            models,
            parallel_requests: self.parallel_requests.unwrap_or(lanes),
        };
        Ok(ModelEngine::Server(ModelServer::new(settings)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digest of `a library`.
    fn pinned() -> String {
        Sha256Digest::of(b"a library").to_string()
    }

    fn engines(table: &str) -> Result<Engines, Failure> {
        toml::from_str::<InferenceConfig>(table).unwrap().engines(2)
    }

    fn code(table: &str) -> String {
        let failure = engines(table).unwrap_err();
        let config: InferenceConfig = toml::from_str(table).unwrap();
        let told = format!("{failure:?} {config:?}");
        assert!(!told.contains("hunter2"), "{told}");
        assert!(failure.remedy.is_some(), "{told}");
        failure.code
    }

    #[test]
    fn without_a_table_the_embedded_engine_runs_alone() {
        let found = engines("").unwrap();
        assert!(matches!(found.engine, ModelEngine::Embedded) && found.second.is_none());
    }

    #[test]
    fn a_library_is_taken_with_its_digest_and_beside_the_other_engine() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hunter2.so");
        let pinned = pinned();
        let named = format!("library = {file:?}\nlibrary_sha256 = \"{pinned}\"\n");
        let runtime = format!("engine = \"onnx_runtime\"\n{named}");
        assert_eq!(code(&runtime), "ENGINE_LIBRARY_NOT_READ");
        std::fs::write(&file, b"another").unwrap();
        assert_eq!(code(&runtime), "ENGINE_LIBRARY_MISMATCH");
        std::fs::write(&file, b"a library").unwrap();
        let found = engines(&runtime).unwrap();
        assert!(matches!(found.engine, ModelEngine::OnnxRuntime(_)) && found.second.is_none());
        let both = engines(&format!("{runtime}compare = true\n")).unwrap();
        assert!(matches!(both.second, Some(ModelEngine::Embedded)));
        let both = engines(&format!("{named}compare = true\n")).unwrap();
        assert!(matches!(both.engine, ModelEngine::Embedded));
        assert!(matches!(both.second, Some(ModelEngine::OnnxRuntime(_))));
        // Whoever does not compare does not need the library.
        let absent = folder.path().join("absent.so");
        let table =
            format!("library = {absent:?}\nlibrary_sha256 = \"{pinned}\"\ncompare = true\n");
        assert_eq!(code(&table), "ENGINE_LIBRARY_NOT_READ");
        let config: InferenceConfig = toml::from_str(&table).unwrap();
        assert!(matches!(config.engine(2), Ok(ModelEngine::Embedded)));

        // What would count for nothing, or is half said.
        assert_eq!(code(&named), "CONFIG_INVALID");
        assert_eq!(code("compare = true"), "CONFIG_INVALID");
        assert_eq!(code(&format!("engine = \"remote\"\n{named}")), "CONFIG_INVALID");
        let half = format!("engine = \"onnx_runtime\"\nlibrary = {file:?}");
        assert_eq!(code(&half), "CONFIG_INVALID");
        let relative =
            format!("engine = \"onnx_runtime\"\nlibrary = \"a.so\"\nlibrary_sha256 = \"{pinned}\"");
        assert_eq!(code(&relative), "CONFIG_INVALID");
        for bad in ["engine = \"tensorflow\"", "library_sha256 = \"abc\"", "threads = 4"] {
            assert!(toml::from_str::<InferenceConfig>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_is_named_with_what_it_serves() {
        let digest = pinned();
        let model = format!("[[models]]\nmodel_sha256 = \"{digest}\"\nname = \"pneumonia\"\n");
        let at = |server: &str| format!("engine = \"remote\"\nserver = {server:?}\n");
        let here = at("http://127.0.0.1:8001");
        let found = engines(&format!("{here}compare = true\n{model}")).unwrap();
        assert!(matches!(found.engine, ModelEngine::Server(_)));
        assert!(matches!(found.second, Some(ModelEngine::Embedded)));
        assert!(engines(&at("unix:///run/triton.sock")).is_ok());

        assert_eq!(code("engine = \"remote\""), "CONFIG_INVALID");
        assert_eq!(code("server = \"http://127.0.0.1:8001\""), "CONFIG_INVALID");
        assert_eq!(code(&model), "CONFIG_INVALID");
        assert_eq!(code(&format!("{here}ca = \"/etc/ca.pem\"\n")), "CONFIG_INVALID");
        assert_eq!(code(&format!("{here}{model}{model}")), "CONFIG_INVALID");
        assert_eq!(code(&at("http://10.0.0.7:8001")), "MODEL_SERVER_WITHOUT_TLS");
        assert_eq!(code(&at("http://dr:hunter2@127.0.0.1:1")), "MODEL_SERVER_ADDRESS_INVALID");
        let file = tempfile::NamedTempFile::new().unwrap();
        let trusting = format!("{}ca = {:?}\n", at("https://triton.test:8001"), file.path());
        assert_eq!(code(&trusting), "MODEL_SERVER_CA_INVALID");
    }
}
