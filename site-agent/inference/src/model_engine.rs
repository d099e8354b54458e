//! Who runs the model at a site: one of three engines, which are asked in one way.

use std::path::Path;

use fedval_disclosure::SiteLocal;
use fedval_sandbox::BoxProgram;
use fedval_study::protocol::ModelSpecification;

use crate::answer::ModelAnswer;
use crate::error::{LoadError, ScoreError};
use crate::library::RuntimeLibrary;
use crate::model_box::{InferenceLimits, ModelBox};
use crate::server::{ModelServer, ServedModel};

/// Who runs the model.
#[derive(Debug, Clone)]
pub enum ModelEngine {
    /// The engine in this program, in a box.
    Embedded,
    /// ONNX Runtime from this site's library, in a box.
    OnnxRuntime(RuntimeLibrary),
    /// This site's inference server.
    Server(ModelServer),
}

impl ModelEngine {
    /// Loads the model that `specification` pins; it lies in the file `model`, which a server does not need.
    ///
    /// # Errors
    ///
    /// See [`LoadError`].
    pub async fn load(
        &self,
        program: &BoxProgram,
        limits: &InferenceLimits,
        specification: &ModelSpecification,
        model: &Path,
    ) -> Result<LoadedModel, LoadError> {
        let library = match self {
            Self::Server(server) => {
                let model = ServedModel::load(server, limits, specification).await?;
                return Ok(LoadedModel::Served(Box::new(model)));
            }
            Self::Embedded => None,
            Self::OnnxRuntime(library) => Some(library),
        };
        let boxed = ModelBox::load_with(program, limits, specification, model, library).await?;
        Ok(LoadedModel::Boxed(Box::new(boxed)))
    }

    /// What tells this engine from every other one whose scores may differ from its own in their last bits; `None`
    /// of the embedded one.
    #[must_use]
    pub fn mark(&self, specification: &ModelSpecification) -> Option<String> {
        match self {
            Self::Embedded => None,
            Self::OnnxRuntime(library) => Some(format!("onnx_runtime {}", library.digest())),
            Self::Server(server) => {
                Some(format!("server {:?}", server.served(&specification.digest.0)))
            }
        }
    }
}

/// A model that can be asked for scores.
#[derive(Debug)]
pub enum LoadedModel {
    /// In a box of this machine.
    Boxed(Box<ModelBox>),
    /// On this site's inference server.
    Served(Box<ServedModel>),
}

impl LoadedModel {
    /// The model's scores of one case, one for each class or a single one, on the protocol's scale and not rounded.
    ///
    /// # Errors
    ///
    /// See [`ScoreError`].
    pub async fn scores(&mut self, tensor: &[f32]) -> Result<SiteLocal<Vec<f64>>, ScoreError> {
        match self {
            Self::Boxed(model) => model.scores(tensor).await,
            Self::Served(model) => model.scores(tensor).await,
        }
    }

    /// What the model gives of one case, as the protocol says that it is to be read.
    ///
    /// # Errors
    ///
    /// See [`ScoreError`].
    pub async fn answer(&mut self, tensor: &[f32]) -> Result<SiteLocal<ModelAnswer>, ScoreError> {
        match self {
            Self::Boxed(model) => model.answer(tensor).await,
            Self::Served(model) => model.answer(tensor).await,
        }
    }
}
