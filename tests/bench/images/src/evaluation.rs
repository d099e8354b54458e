//! One site, evaluated by the agent's own code: manifest, boxes, checkpoints on disk, summary.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use fedval_ambient::{Clock as _, SystemClock};
use fedval_evaluate::{Evaluation, Progress, ScoreGrid};
use fedval_inference::{InferenceLimits, LibraryError, ModelEngine, RuntimeLibrary};
use fedval_ingest::{ColumnMapping, DecodeLimits, ManifestSource};
use fedval_study::draft::Draft;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{Dispatch, LockedProtocol, RoundId, Sha256Digest};
use fedval_vault::{NewJob, Vault};
use tokio::time::{Instant, sleep};

use crate::error::BenchError;
use crate::figure::Figure;

/// The study that is measured.
const STUDY: &str = include_str!("../study.toml");

/// Height and width of its images.
const SIDE: u32 = 256;

/// How often the progress is looked at while the boxes start.
const GLANCE: Duration = Duration::from_millis(2);

/// A site to evaluate.
#[derive(Debug, Args)]
pub(crate) struct Site {
    /// Folder with `manifest.csv` and `images/`.
    folder: PathBuf,
    /// The ONNX model.
    model: PathBuf,
    /// Lanes beside each other: a decoder and a model each.
    #[arg(long, default_value_t = 2)]
    lanes: usize,
    /// How often each image is evaluated, as so many cases.
    #[arg(long, default_value_t = 40)]
    repeat: usize,
    /// Folder that keeps the vault with its checkpoints; a temporary one otherwise.
    #[arg(long)]
    keep: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
    /// Height and width of the model's input; images of another size are interpolated to it.
    #[arg(long, default_value_t = 256)]
    side: u32,
}

/// Who runs the model.
#[derive(Debug, Clone, Args)]
pub(crate) struct EngineChoice {
    /// Who runs the model.
    #[arg(long, value_enum, default_value = "embedded")]
    pub(crate) engine: EngineName,
    /// ONNX Runtime's library.
    #[arg(long, required_if_eq("engine", "onnx_runtime"))]
    pub(crate) library: Option<PathBuf>,
}

/// How an engine is called in agent.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum EngineName {
    Embedded,
    OnnxRuntime,
}

impl EngineChoice {
    fn engine(&self) -> Result<ModelEngine, BenchError> {
        let Some(library) = self.library.as_ref().filter(|_| self.engine != EngineName::Embedded)
        else {
            return Ok(ModelEngine::Embedded);
        };
        // Whichever library is measured is the pinned one.
        let pinned = Sha256Digest::of(&fs::read(library).map_err(at(library))?);
        let opened: Result<_, LibraryError> = RuntimeLibrary::open(library, &pinned);
        Ok(ModelEngine::OnnxRuntime(opened?))
    }
}

impl Site {
    /// Evaluates every case, in a vault of its own.
    pub(crate) async fn evaluate(&self) -> Result<Figure, BenchError> {
        let work = tempfile::tempdir().map_err(at(Path::new("a temporary folder")))?;
        let kept = self.keep.as_deref().unwrap_or(work.path());
        let manifest = work.path().join("manifest.csv");
        fs::write(&manifest, self.manifest()?).map_err(at(&manifest))?;
        let model = fs::read(&self.model).map_err(at(&self.model))?;
        let protocol = protocol(&model, self.side)?;
        let engine = self.engine.engine()?;
        let vault = Vault::open(&kept.join("vault.db")).await?;
        let round = insert_job(&vault, &protocol).await?;
        let source = ManifestSource {
            manifest,
            root: self.folder.clone(),
            columns: ColumnMapping::default(),
        };
        let evaluation = Evaluation {
            round: &round,
            protocol: protocol.protocol(),
            model: &self.model,
            source: &source,
            pacs: None,
            vault: &vault,
            secret: [7; 32],
            grid: ScoreGrid::Fine,
            decode_limits: DecodeLimits::default(),
            inference_limits: InferenceLimits::default(),
            engine: &engine,
            second_engine: None,
            lanes: self.lanes,
        };
        timed(&evaluation).await
    }

    /// The site's manifest, each case as many times as wanted under names of its own.
    fn manifest(&self) -> Result<String, BenchError> {
        let path = self.folder.join("manifest.csv");
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        let (header, lines) = text.split_once('\n').ok_or(BenchError::NoCases { path })?;
        let mut repeated = format!("{header}\n");
        for turn in 0..self.repeat.max(1) {
            for line in lines.lines() {
                writeln!(repeated, "{turn}-{line}").expect("text grows");
            }
        }
        Ok(repeated)
    }
}

/// Runs `evaluation` and looks at the clock when the first case is done and at the end.
async fn timed(evaluation: &Evaluation<'_>) -> Result<Figure, BenchError> {
    let progress = Progress::default();
    let start = Instant::now();
    let warm = async {
        while progress.get().0 == 0 {
            sleep(GLANCE).await;
        }
        (Instant::now(), progress.get().0)
    };
    let ((warm_at, done_when_warm), summary) = tokio::join!(warm, evaluation.run(&progress));
    let end = Instant::now();
    summary?;
    let (_, images) = progress.get();
    let seconds = (end - start).as_secs_f64();
    Ok(Figure {
        images,
        seconds,
        images_per_second: count(images) / seconds,
        warm_images_per_second: count(images - done_when_warm) / (end - warm_at).as_secs_f64(),
    })
}

fn protocol(model: &[u8], side: u32) -> Result<LockedProtocol, BenchError> {
    let refused = |reason: String| BenchError::Study { reason };
    let mut study = STUDY.to_owned();
    if side != SIDE {
        for of in ["height", "width"] {
            study = study.replace(&format!("{of} = {SIDE}"), &format!("{of} = {side}"));
        }
        study = study.replace("resize = \"refuse\"", "resize = \"bilinear\"");
    }
    let draft = Draft::parse(&study).map_err(|error| refused(error.to_string()))?;
    let pinned: StudyProtocol = draft
        .pin_model(Sha256Digest::of(model), model.len() as u64)
        .map_err(|error| refused(error.to_string()))?;
    LockedProtocol::new(pinned).map_err(|error| refused(error.to_string()))
}

/// Records the job that checkpoints belong to.
async fn insert_job(vault: &Vault, locked: &LockedProtocol) -> Result<RoundId, BenchError> {
    let round: RoundId = "bench-r1".parse().expect("a name of a round");
    let dispatch = Dispatch {
        study: locked.protocol().id.clone(),
        protocol_version: 1,
        round: round.clone(),
        site: "bench".parse().expect("a name of a site"),
        protocol: locked.digest(),
        protocol_bytes: locked.bytes().len() as u64,
        model: locked.protocol().model.digest,
        model_bytes: locked.protocol().model.bytes,
        issued_at_ms: 0,
        nonce: Sha256Digest::of(b"nonce"),
    };
    let job = NewJob { dispatch, protocol: locked.bytes().to_vec() };
    vault.job_insert(&job, SystemClock.now()).await?;
    Ok(round)
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> BenchError + use<'_> {
    |source| BenchError::File { path: path.to_path_buf(), source }
}

#[expect(clippy::cast_precision_loss, reason = "images of a benchmark")]
fn count(images: usize) -> f64 {
    images as f64
}
