//! The parent's side: load a model once, then score one case after the other.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use fedval_disclosure::SiteLocal;
use fedval_sandbox::{BoxLimits, BoxProgram, BoxedChild, CallError, SpawnError};
use fedval_study::protocol::ModelSpecification;

use crate::answer::{Expected, ModelAnswer};
use crate::error::{LoadError, ScoreError};
use crate::exchange::{
    decode_answer, decode_load_reply, encode_order, encode_score, max_reply_bytes,
};
use crate::library::RuntimeLibrary;

/// Cases that the processor limit of a box is reckoned for.
const MOST_CASES: u64 = 2_000_000;

/// What a model may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InferenceLimits {
    /// Address space of the box, in bytes.
    pub memory_bytes: u64,
    /// Time to inspect, load and optimise the model, in seconds.
    pub load_seconds: u64,
    /// Time for one case, in seconds.
    pub case_seconds: u64,
    /// Largest model file, in bytes.
    pub max_model_bytes: u64,
    /// Most nodes of the graph, stored tensors included.
    ///
    /// Optimising takes more than linear time: 200,000 trivial nodes kept the engine busy for
    /// over 40 seconds.
    pub max_nodes: usize,
}

impl Default for InferenceLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 4 << 30,
            load_seconds: 120,
            case_seconds: 60,
            max_model_bytes: 1 << 30,
            max_nodes: 20_000,
        }
    }
}

/// A loaded model in its own process.
#[derive(Debug)]
pub struct ModelBox {
    child: BoxedChild,
    expected: Expected,
    values: usize,
    wall_clock: Duration,
}

impl ModelBox {
    /// Loads the file `model`, which `specification` pins, in a fresh box with the embedded engine.
    ///
    /// The program calls [`inference_box_main`](crate::inference_box_main) in the role
    /// [`INFERENCE_ROLE`](crate::INFERENCE_ROLE).
    ///
    /// # Errors
    ///
    /// See [`LoadError`]. The digest is checked before a byte is parsed.
    pub async fn load(
        program: &BoxProgram,
        limits: &InferenceLimits,
        specification: &ModelSpecification,
        model: &Path,
    ) -> Result<Self, LoadError> {
        Self::load_with(program, limits, specification, model, None).await
    }

    /// The same with ONNX Runtime as `library`, where there is one.
    ///
    /// # Errors
    ///
    /// See [`LoadError`].
    pub async fn load_with(
        program: &BoxProgram,
        limits: &InferenceLimits,
        specification: &ModelSpecification,
        model: &Path,
        library: Option<&RuntimeLibrary>,
    ) -> Result<Self, LoadError> {
        if specification.bytes > limits.max_model_bytes {
            return Err(LoadError::TooLarge);
        }
        let model = File::open(model).map_err(|source| LoadError::NotRead { source })?;
        Self::load_file(program, limits, specification, model, library).await
    }

    pub(crate) async fn load_file(
        program: &BoxProgram,
        limits: &InferenceLimits,
        specification: &ModelSpecification,
        model: File,
        library: Option<&RuntimeLibrary>,
    ) -> Result<Self, LoadError> {
        let expected = Expected::of(specification);
        let limits_of_box = box_limits(limits, max_reply_bytes(&expected.wanted));
        let child = match library {
            None => BoxedChild::spawn_with_file(program, &limits_of_box, model).await,
            Some(library) => {
                let library = library.sealed();
                BoxedChild::spawn_with_library(program, &limits_of_box, model, library).await
            }
        };
        let not_started = |source: SpawnError| {
            if library.is_some() && source.may_be_of_library() {
                LoadError::LibraryNotLoaded
            } else {
                LoadError::NotStarted { source }
            }
        };
        let mut child = child.map_err(not_started)?;
        let order = encode_order(specification, limits.max_nodes, library.is_some());
        let wall_clock = Duration::from_secs(limits.load_seconds);
        let reply = child.call(&[&order], wall_clock).await.map_err(|error| match error {
            CallError::TimedOut => LoadError::TimedOut,
            CallError::Forbidden => LoadError::Forbidden,
            _ => LoadError::Crashed,
        })?;
        decode_load_reply(&reply)?;
        Ok(Self {
            child,
            expected,
            values: specification.input.values_at_once(),
            wall_clock: Duration::from_secs(limits.case_seconds),
        })
    }

    /// The model's scores of one case, one for each class or condition, or a single one, on the protocol's scale and not rounded.
    ///
    /// # Errors
    ///
    /// See [`Self::answer`]; [`ScoreError::Invalid`] where the protocol wants no scores.
    pub async fn scores(&mut self, tensor: &[f32]) -> Result<SiteLocal<Vec<f64>>, ScoreError> {
        self.answer(tensor).await.and_then(scores_of)
    }

    /// What the model gives of one case, as the protocol says that it is to be read.
    ///
    /// # Errors
    ///
    /// See [`ScoreError`]. After [`ScoreError::Invalid`] the next case can be asked for; after the
    /// others the model must be loaded again.
    pub async fn answer(&mut self, tensor: &[f32]) -> Result<SiteLocal<ModelAnswer>, ScoreError> {
        // The model must not be able to tell that a tensor of another size was meant for it.
        if tensor.len() != self.values {
            return Err(ScoreError::Invalid);
        }
        let reply =
            self.child.call(&[encode_score(tensor)], self.wall_clock).await.map_err(|error| {
                match error {
                    CallError::TimedOut => ScoreError::TimedOut,
                    CallError::Forbidden => ScoreError::Forbidden,
                    _ => ScoreError::Died,
                }
            })?;
        let answer = decode_answer(&reply, &self.expected.wanted);
        // The box is not trusted to have checked its own output.
        let usable = answer.filter(|answer| self.expected.holds(answer));
        usable.map(SiteLocal::new).ok_or(ScoreError::Invalid)
    }
}

/// The scores, where they were wanted.
pub(crate) fn scores_of(answer: SiteLocal<ModelAnswer>) -> Result<SiteLocal<Vec<f64>>, ScoreError> {
    if matches!(answer.open_on_site(), ModelAnswer::Tensor(_)) {
        return Err(ScoreError::Invalid);
    }
    Ok(answer.map(|answer| match answer {
        ModelAnswer::Scores(scores) => scores,
        ModelAnswer::Tensor(_) => Vec::new(),
    }))
}

const fn box_limits(limits: &InferenceLimits, max_reply_bytes: u64) -> BoxLimits {
    let scoring = limits.case_seconds.saturating_mul(MOST_CASES);
    BoxLimits {
        memory_bytes: limits.memory_bytes,
        cpu_seconds: limits.load_seconds.saturating_add(scoring),
        max_reply_bytes,
    }
}
