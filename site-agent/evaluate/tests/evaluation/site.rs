//! A site made up on the spot: sixty small images of thirty patients, a manifest, a model, a vault.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedval_ambient::{Clock as _, MockClock};
use fedval_evaluate::{EvaluateError, Evaluation, Progress, ScoreGrid, Shard, Store};
use fedval_inference::{InferenceLimits, ModelEngine};
use fedval_ingest::{ColumnMapping, DecodeLimits, IndexTestColumn, ManifestSource, Pacs};
use fedval_study::protocol::{Combine, ModelOutput, ScoreScale, StudyProtocol, Unit};
use fedval_study::summary::{BinaryFindings, Findings};
use fedval_study::{Dispatch, LockedProtocol, Performance, RoundId, Sha256Digest, SiteSummary};
use fedval_vault::{NewJob, ShardFile, Vault};
use image::{GrayImage, Luma};
use tempfile::TempDir;

use crate::{onnx_file, study};

/// Images darker than this have no logarithm.
pub(crate) const TOO_DARK: u8 = 20;
pub(crate) const CASES: usize = 60;
/// The model's file.
const MODEL: &str = "model.onnx";

/// A line of the manifest with the grey value of its image.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) case_id: String,
    pub(crate) patient: usize,
    pub(crate) label: &'static str,
    pub(crate) scanner: &'static str,
    pub(crate) grey: u8,
}

impl Row {
    pub(crate) fn is_positive(&self) -> bool {
        self.label == "1"
    }

    /// What the model says of it.
    pub(crate) fn logit(&self) -> f64 {
        (f64::from(self.grey) / 255.0 - 0.1).ln()
    }

    pub(crate) fn probability(&self) -> f64 {
        1.0 / (1.0 + (-self.logit()).exp())
    }
}

/// A site.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) rows: Vec<Row>,
    pub(crate) protocol: StudyProtocol,
    pub(crate) vault: Vault,
    pub(crate) lanes: usize,
    pub(crate) secret: [u8; 32],
    pub(crate) columns: ColumnMapping,
    pub(crate) decode_limits: DecodeLimits,
    pub(crate) pacs: Option<Pacs>,
    pub(crate) engine: ModelEngine,
    pub(crate) second_engine: Option<ModelEngine>,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("vault.db")).await.unwrap();
        let model = onnx_file::bytes(onnx_file::around("Log"));
        fs::write(folder.path().join(MODEL), &model).unwrap();
        let mut protocol = study::protocol();
        protocol.model = onnx_file::specification(&model);
        protocol.model.input.mean = 0.1;
        protocol.model.output.scale = ScoreScale::Logit;
        let site = Self {
            folder,
            rows: (0..CASES).map(row).collect(),
            protocol,
            vault,
            lanes: 2,
            secret: [7; 32],
            columns: ColumnMapping::default(),
            decode_limits: DecodeLimits { memory_bytes: 1 << 30, ..DecodeLimits::default() },
            pacs: None,
            engine: ModelEngine::Embedded,
            second_engine: None,
        };
        for index in 0..CASES {
            site.draw(index, site.rows[index].grey);
        }
        site.write_manifest();
        site
    }

    /// The same with one score for each patient.
    pub(crate) async fn by_patient(combine: Combine) -> Self {
        let mut site = Self::new().await;
        site.protocol.analysis.unit = Unit::Patient;
        site.protocol.analysis.combine = Some(combine);
        site
    }

    /// Another model in the place of the first.
    pub(crate) fn bring_model(&mut self, model: &[u8], output: ModelOutput) {
        fs::write(self.folder.path().join(MODEL), model).unwrap();
        self.protocol.model = onnx_file::specification(model);
        self.protocol.model.output = output;
    }

    pub(crate) fn file(&self, index: usize) -> PathBuf {
        self.folder.path().join(format!("{}.png", self.rows[index].case_id))
    }

    pub(crate) fn draw(&self, index: usize, grey: u8) {
        GrayImage::from_pixel(4, 4, Luma([grey])).save(self.file(index)).unwrap();
    }

    /// Adds cases until there are `cases`.
    pub(crate) fn grow(&mut self, cases: usize) {
        for index in self.rows.len()..cases {
            self.rows.push(row(index));
            self.draw(index, self.rows[index].grey);
        }
        self.write_manifest();
    }

    /// Makes the images of three cases useless, each in its own way.
    pub(crate) fn spoil(&mut self, [damaged, large, dark]: [usize; 3]) {
        self.damage(damaged);
        GrayImage::from_pixel(5, 5, Luma([90])).save(self.file(large)).unwrap();
        self.draw(dark, TOO_DARK);
    }

    pub(crate) fn damage(&self, index: usize) {
        fs::write(self.file(index), b"no image").unwrap();
    }

    /// Leaves half of the model's file.
    pub(crate) fn damage_model(&self) {
        let file = self.folder.path().join(MODEL);
        let model = fs::read(&file).unwrap();
        fs::write(&file, &model[..model.len() / 2]).unwrap();
    }

    /// Leaves a table of scores in the place of images and model.
    pub(crate) fn bring_scores(&mut self, score: impl Fn(&Row) -> String) {
        for index in 0..self.rows.len() {
            fs::remove_file(self.file(index)).unwrap();
        }
        fs::remove_file(self.folder.path().join(MODEL)).unwrap();
        self.columns.index_test = IndexTestColumn::Score("score".to_owned());
        self.bring_scores_again(score);
    }

    /// Writes the table anew. Of several classes there is a score of each, with commas between.
    pub(crate) fn bring_scores_again(&self, score: impl Fn(&Row) -> String) {
        let columns = match self.protocol.task.scores() {
            1 => "score".to_owned(),
            scores => (0..scores).map(|of| format!("score_{of}")).collect::<Vec<_>>().join(","),
        };
        let mut text = format!("case_id,patient_id,{columns},label,scanner\n");
        for row in &self.rows {
            let Row { case_id, patient, label, scanner, .. } = row;
            writeln!(text, "{case_id},PATIENT{patient},{},{label},{scanner}", score(row)).unwrap();
        }
        fs::write(self.folder.path().join("manifest.csv"), text).unwrap();
    }

    pub(crate) fn write_manifest(&self) {
        self.write_manifest_of(|_, row| format!("{}.png", row.case_id));
    }

    /// The same with something else that names each image.
    pub(crate) fn write_manifest_of(&self, image: impl Fn(usize, &Row) -> String) {
        let mut text = "case_id,patient_id,image,label,scanner\n".to_owned();
        for (index, row) in self.rows.iter().enumerate() {
            let Row { case_id, patient, label, scanner, .. } = row;
            let image = image(index, row);
            writeln!(text, "{case_id},PATIENT{patient},{image},{label},{scanner}").unwrap();
        }
        fs::write(self.folder.path().join("manifest.csv"), text).unwrap();
    }

    /// Records the job that checkpoints belong to.
    pub(crate) async fn job(&self, round: &str) -> RoundId {
        let round: RoundId = round.parse().unwrap();
        let locked = LockedProtocol::new(study::protocol()).unwrap();
        let dispatch = Dispatch {
            study: locked.protocol().id.clone(),
            protocol_version: 1,
            round: round.clone(),
            site: "site-a".parse().unwrap(),
            protocol: locked.digest(),
            protocol_bytes: locked.bytes().len() as u64,
            model: locked.protocol().model.digest,
            model_bytes: locked.protocol().model.bytes,
            issued_at_ms: 0,
            nonce: Sha256Digest::of(b"nonce"),
        };
        let job = NewJob { dispatch, protocol: locked.bytes().to_vec() };
        self.vault.job_insert(&job, MockClock::default().now()).await.unwrap();
        round
    }

    /// Evaluates as the job `round`.
    pub(crate) async fn run(&self, round: &str) -> Result<SiteSummary, EvaluateError> {
        self.run_watched(round, &Progress::default()).await
    }

    pub(crate) async fn run_watched(
        &self,
        round: &str,
        progress: &Progress,
    ) -> Result<SiteSummary, EvaluateError> {
        self.job(round).await;
        self.run_again(round, progress).await
    }

    /// Goes on with a job that is there.
    pub(crate) async fn run_again(
        &self,
        round: &str,
        progress: &Progress,
    ) -> Result<SiteSummary, EvaluateError> {
        let round: RoundId = round.parse().unwrap();
        let (source, model) = (self.source(), self.folder.path().join(MODEL));
        let evaluation = self.evaluation(&round, &source, &model, Store::Vault(&self.vault));
        Ok(evaluation.run(progress).await?.open_on_site().clone())
    }

    /// Evaluates as one process of several of the job `round`, whose checkpoints go to a file of its own.
    pub(crate) async fn run_shard(
        &self,
        round: &str,
        shard: Shard,
        file: &Path,
        progress: &Progress,
    ) -> Result<(), EvaluateError> {
        let round: RoundId = round.parse().unwrap();
        let (source, model) = (self.source(), self.folder.path().join(MODEL));
        let store = Store::Shard(Arc::new(ShardFile::open(file)?));
        self.evaluation(&round, &source, &model, store).run_shard(shard, progress).await
    }

    fn source(&self) -> ManifestSource {
        let folder = self.folder.path();
        ManifestSource {
            manifest: folder.join("manifest.csv"),
            root: folder.to_path_buf(),
            columns: self.columns.clone(),
        }
    }

    fn evaluation<'e>(
        &'e self,
        round: &'e RoundId,
        source: &'e ManifestSource,
        model: &'e Path,
        store: Store<'e>,
    ) -> Evaluation<'e> {
        Evaluation {
            round,
            protocol: &self.protocol,
            model,
            source,
            pacs: self.pacs.as_ref(),
            store,
            secret: self.secret,
            grid: ScoreGrid::Fine,
            k: self.protocol.disclosure.k,
            decode_limits: self.decode_limits,
            inference_limits: InferenceLimits {
                memory_bytes: 1 << 30,
                ..InferenceLimits::default()
            },
            engine: &self.engine,
            second_engine: self.second_engine.as_ref(),
            lanes: self.lanes,
        }
    }

    /// A file beside the site's others.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn cases_done(&self, round: &str) -> usize {
        let round = round.parse().unwrap();
        self.vault.checkpoint_list(&round).await.unwrap().open_on_site().len()
    }

    /// Changes the vault's file as a damaged disk or an older backup would.
    pub(crate) async fn sql(&self, sql: &'static str) {
        let url = format!("sqlite://{}", self.folder.path().join("vault.db").display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        let done = sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        assert!(done.rows_affected() > 0, "changed nothing: {sql}");
        pool.close().await;
    }
}

/// Two images a patient; every second patient has the disease; some scanners are not in the
/// protocol's dictionary, some unknown.
fn row(index: usize) -> Row {
    let patient = index / 2;
    Row {
        case_id: format!("CASE{index}"),
        patient,
        label: if patient % 2 == 1 { "1" } else { "0" },
        scanner: ["a", "b", "c", "z", ""][patient % 5],
        grey: u8::try_from(60 + (index * 37) % 150 + (patient % 2) * 30).unwrap(),
    }
}

/// Twice the Mann–Whitney statistic, by counting pairs.
pub(crate) fn doubled_u(scores: &[(f64, bool)]) -> u128 {
    let of =
        |positive| scores.iter().filter(move |(_, is)| *is == positive).map(|(score, _)| *score);
    let worth = |(p, n): (f64, f64)| match p.total_cmp(&n) {
        std::cmp::Ordering::Greater => 2,
        std::cmp::Ordering::Equal => 1,
        std::cmp::Ordering::Less => 0,
    };
    of(true).flat_map(|p| of(false).map(move |n| (p, n))).map(worth).sum()
}

/// What was counted.
pub(crate) fn found(summary: &SiteSummary) -> &BinaryFindings {
    let Findings::Binary(found) = &summary.findings else { panic!("several classes") };
    found
}

/// Aggregates of the whole cohort, which keep every relation that data keep.
pub(crate) fn overall(summary: &SiteSummary) -> &Performance {
    let overall = &found(summary).overall.as_ref().unwrap().by_patient;
    overall.check().unwrap();
    overall
}
