//! One site, evaluated by the agent's own code: manifest, boxes, checkpoints on disk, summary.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use fedval_ambient::{Clock as _, SystemClock};
use fedval_disclosure::SiteLocal;
use fedval_evaluate::{Evaluation, Progress, ScoreGrid, Store};
use fedval_inference::{InferenceLimits, LibraryError, ModelEngine, RuntimeLibrary};
use fedval_ingest::{ColumnMapping, DecodeLimits, ManifestSource};
use fedval_study::draft::Draft;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{Dispatch, LockedProtocol, RoundId, Sha256Digest, SiteSummary};
use fedval_vault::{NewJob, Vault};
use tokio::time::{Instant, sleep};

use crate::error::BenchError;
use crate::figure::Figure;
use crate::memory::own_peak_mib;

/// The study that is measured.
pub(crate) const STUDY: &str = include_str!("../study.toml");

/// Height and width of its images.
pub(crate) const SIDE: u32 = 256;

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
    #[arg(long = "library", required_if_eq("engine", "onnx_runtime"))]
    pub(crate) onnx_runtime: Option<PathBuf>,
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
        let Some(library) =
            self.onnx_runtime.as_ref().filter(|_| self.engine != EngineName::Embedded)
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
        self.write_manifest(&manifest)?;
        let model = fs::read(&self.model).map_err(at(&self.model))?;
        let protocol = protocol(STUDY, &model, self.side)?;
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
            store: Store::Vault(&vault),
            secret: [7; 32],
            grid: ScoreGrid::Fine,
            k: protocol.protocol().disclosure.k,
            decode_limits: DecodeLimits::default(),
            inference_limits: InferenceLimits::default(),
            engine: &engine,
            second_engine: None,
            lanes: self.lanes,
        };
        timed(&evaluation).await.map(|(figure, _)| figure)
    }

    /// The site's manifest, each case as many times as wanted under names of its own. Line by line: what this program
    /// holds of it would count as the agent's memory.
    fn write_manifest(&self, to: &Path) -> Result<(), BenchError> {
        let path = self.folder.join("manifest.csv");
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        let (header, lines) = text.split_once('\n').ok_or(BenchError::NoCases { path })?;
        let mut file = File::create(to).map(BufWriter::new).map_err(at(to))?;
        writeln!(file, "{header}").map_err(at(to))?;
        for turn in 0..self.repeat.max(1) {
            for line in lines.lines() {
                writeln!(file, "{turn}-{line}").map_err(at(to))?;
            }
        }
        file.flush().map_err(at(to))
    }
}

/// Runs `evaluation` and looks at the clock when the first case is done and at the end.
pub(crate) async fn timed(
    evaluation: &Evaluation<'_>,
) -> Result<(Figure, SiteLocal<SiteSummary>), BenchError> {
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
    let summary = summary?;
    let (_, images) = progress.get();
    let seconds = (end - start).as_secs_f64();
    let figure = Figure {
        images,
        seconds,
        images_per_second: count(images) / seconds,
        warm_images_per_second: count(images - done_when_warm) / (end - warm_at).as_secs_f64(),
        peak_mib: own_peak_mib(),
    };
    Ok((figure, summary))
}

/// The study that `text` says, of this model, with images of this side.
pub(crate) fn protocol(text: &str, model: &[u8], side: u32) -> Result<LockedProtocol, BenchError> {
    let refused = |reason: String| BenchError::Study { reason };
    let mut study = text.to_owned();
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
pub(crate) async fn insert_job(
    vault: &Vault,
    locked: &LockedProtocol,
) -> Result<RoundId, BenchError> {
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

/// What to say of a file that cannot be used.
pub(crate) fn at(path: &Path) -> impl Fn(std::io::Error) -> BenchError + use<'_> {
    |source| BenchError::File { path: path.to_path_buf(), source }
}

#[expect(clippy::cast_precision_loss, reason = "images of a benchmark")]
fn count(images: usize) -> f64 {
    images as f64
}
