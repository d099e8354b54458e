//! The whole evaluation of one job, resumable to the case.

use std::collections::BTreeMap;
use std::iter;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use fedval_disclosure::SiteLocal;
use fedval_inference::{BoxProgram, INFERENCE_ROLE, InferenceLimits, LoadError};
use fedval_ingest::{
    Cohort, DECODE_ROLE, DecodeLimits, Decoder, ManifestError, ManifestSource, Pacs, PacsError,
    read_manifest,
};
use fedval_study::protocol::{PredictionTables, Structure, StudyProtocol};
use fedval_study::summary::FailureReason;
use fedval_study::{Exit, FailedStage, Problem, RoundId, SiteSummary};
use fedval_vault::{CaseOutcome, Checkpoint, Vault, VaultError};
use tokio::sync::mpsc::{self, Sender};

use crate::evaluated::Evaluated;
use crate::lane::{Done, Due, Lane, LaneError, row_digest};
use crate::mask_lane::MaskLane;
use crate::purity::Pass;
use crate::reader::Reader;
use crate::recorder::{MOST_CASES, record};
use crate::scorer::{ModelSource, Scorer};
use crate::unit::ScoreGrid;
use crate::{attributes, prediction, purity};

/// Scores of a prediction table in one write.
const MOST_SCORES: usize = 1_000;

/// How far an evaluation is: for this site's own screens, never sent.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Progress {
    /// Cases done and cases in all.
    #[must_use]
    pub fn get(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Counts cases that are on the disk.
    pub(crate) fn add(&self, cases: usize) {
        self.done.fetch_add(cases, Ordering::Relaxed);
    }
}

/// An evaluation did not finish.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The manifest is refused.
    #[error("the manifest is refused")]
    Manifest(#[from] ManifestError),
    /// The source has scores, and the protocol wants images.
    #[error("the study does not accept prediction tables")]
    PredictionsNotAccepted,
    /// The model cannot be loaded.
    #[error("the model cannot be loaded")]
    ModelLoad(#[source] LoadError),
    /// The model cannot be run.
    #[error("the model ended its box, again and again on one case or by what it tried")]
    ModelDies(#[source] fedval_inference::ScoreError),
    /// A case that was looked at again came to another score.
    #[error("the model gave one case two different scores")]
    Nondeterministic,
    /// Too many cases failed.
    #[error("more cases failed than the protocol allows")]
    TooManyFailures,
    /// This machine cannot run a box.
    #[error("images cannot be decoded on this machine")]
    Machine(#[source] fedval_ingest::DecodeFailure),
    /// The PACS cannot be asked. What was evaluated before is kept.
    #[error("the images cannot be fetched")]
    Pacs(#[from] PacsError),
    /// `/proc` is not there.
    #[error("this program cannot start itself in a box")]
    NoBox(#[source] std::io::Error),
    /// The vault failed: nothing is lost, and nothing is told.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
}

impl EvaluateError {
    /// What the coordinator hears; `None` where the agent tries again instead.
    #[must_use]
    pub const fn stage(&self) -> Option<FailedStage> {
        match self {
            Self::Manifest(_) | Self::PredictionsNotAccepted => Some(FailedStage::DataSource),
            // A box that does not start says nothing about the model.
            Self::ModelLoad(LoadError::NotRead { .. } | LoadError::NotStarted { .. })
            | Self::Machine(_)
            | Self::NoBox(_)
            | Self::Pacs(_)
            | Self::Vault(_) => None,
            Self::ModelLoad(_) => Some(FailedStage::ModelLoad),
            Self::ModelDies(_) | Self::TooManyFailures | Self::Nondeterministic => {
                Some(FailedStage::Evaluation)
            }
        }
    }

    /// Whether this site's copy of the model is damaged: what the protocol pins is fetched again.
    #[must_use]
    pub const fn is_model_damaged(&self) -> bool {
        matches!(self, Self::ModelLoad(LoadError::DigestMismatch))
    }
}

impl From<LaneError> for EvaluateError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Load(error) => Self::ModelLoad(error),
            LaneError::ModelDies(error) => Self::ModelDies(error),
            LaneError::Machine(error) => Self::Machine(error),
            LaneError::Pacs(error) => Self::Pacs(error),
        }
    }
}

impl Problem for EvaluateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Manifest(error) => error.code(),
            Self::PredictionsNotAccepted => "PREDICTIONS_NOT_ACCEPTED",
            Self::ModelLoad(error) => error.code(),
            Self::ModelDies(error) => error.code(),
            Self::Nondeterministic => "NONDETERMINISTIC",
            Self::TooManyFailures => "TOO_MANY_FAILED_CASES",
            Self::Machine(error) => error.code(),
            Self::NoBox(_) => "SANDBOX_NOT_STARTED",
            Self::Pacs(error) => error.code(),
            Self::Vault(error) => error.code(),
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Manifest(error) => error.remedy(),
            Self::PredictionsNotAccepted => Some(
                "give the study a data source with images, or ask the sponsor for a protocol that \
                 accepts prediction tables"
                    .to_owned(),
            ),
            Self::ModelLoad(error) => error.remedy(),
            Self::ModelDies(error) => error.remedy(),
            Self::Nondeterministic => Some(
                "tell the sponsor: a score must depend on the image alone; nothing was released"
                    .to_owned(),
            ),
            Self::TooManyFailures => Some(
                "run `fedval-agent check --study STUDY` to see which cases failed and why"
                    .to_owned(),
            ),
            Self::Machine(error) => error.remedy(),
            Self::NoBox(_) => Some("mount /proc for this user".to_owned()),
            Self::Pacs(error) => error.remedy(),
            Self::Vault(error) => error.remedy(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::ModelLoad(LoadError::NotRead { .. } | LoadError::NotStarted { .. })
            | Self::Machine(_)
            | Self::NoBox(_)
            | Self::Vault(_) => Exit::Machine,
            Self::Pacs(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}

/// Everything that one evaluation needs.
#[derive(Debug)]
pub struct Evaluation<'e> {
    /// The job.
    pub round: &'e RoundId,
    /// The locked protocol.
    pub protocol: &'e StudyProtocol,
    /// The model's file.
    pub model: &'e Path,
    /// Where the cohort lies.
    pub source: &'e ManifestSource,
    /// Where the images of a cohort lie whose manifest names instances.
    pub pacs: Option<&'e Pacs>,
    /// Where checkpoints go.
    pub vault: &'e Vault,
    /// The site's secret: for its commitment, its ledger, and the order of cases.
    pub secret: [u8; 32],
    /// How finely scores are told apart.
    pub grid: ScoreGrid,
    /// Limits of decoding.
    pub decode_limits: DecodeLimits,
    /// Limits of inference.
    pub inference_limits: InferenceLimits,
    /// Lanes that run beside each other, each with a decoder and a model in boxes of its own.
    pub lanes: usize,
}

impl Evaluation<'_> {
    /// Evaluates every case that no checkpoint holds, then counts.
    ///
    /// # Errors
    ///
    /// See [`EvaluateError`].
    pub async fn run(&self, progress: &Progress) -> Result<SiteLocal<SiteSummary>, EvaluateError> {
        let has_results = self.source.columns.index_test.is_table();
        if has_results && self.protocol.prediction_tables == PredictionTables::Refuse {
            return Err(EvaluateError::PredictionsNotAccepted);
        }
        let (source, protocol) = (self.source.clone(), self.protocol.clone());
        let cohort = aside(move || {
            let columns = attributes::attribute_columns(&protocol, &source.columns);
            read_manifest(&source, protocol.labels(), &columns)
        });
        let cohort = cohort.await?;
        let missing = self.missing(cohort.open_on_site()).await?;
        if let Some(pacs) = self.pacs.filter(|_| !missing.is_empty()) {
            // A wrong address would otherwise fail every case.
            pacs.check().await?;
        }
        let again = if let Some(structure) = self.protocol.task.structure() {
            self.compare_masks(cohort.open_on_site(), structure, missing, progress).await?;
            Vec::new()
        } else if has_results {
            self.record_scores(cohort.open_on_site(), missing, progress).await?;
            Vec::new()
        } else {
            self.evaluate_missing(cohort.open_on_site(), missing, progress).await?
        };
        let checkpoints = self.vault.checkpoint_list(self.round).await?;
        check_again(checkpoints.open_on_site(), &again)?;
        self.check_failures(cohort.open_on_site(), checkpoints.open_on_site())?;
        let (protocol, secret, grid) = (self.protocol.clone(), self.secret, self.grid);
        let evaluated = Evaluated { protocol, secret, grid, cohort, checkpoints };
        Ok(aside(move || evaluated.summarise()).await)
    }

    /// Places of the cases that no checkpoint holds.
    async fn missing(&self, cohort: &Cohort) -> Result<Vec<usize>, VaultError> {
        let done = self.vault.checkpoint_list(self.round).await?;
        let is_missing = |index: &usize| {
            let checkpoint = done.open_on_site().get(index);
            checkpoint.is_none_or(|checkpoint| checkpoint.row != row_digest(&cohort.cases[*index]))
        };
        Ok((0..cohort.cases.len()).filter(is_missing).collect())
    }

    /// The scores of a prediction table. Nothing runs, so nothing is looked at again.
    async fn record_scores(
        &self,
        cohort: &Cohort,
        missing: Vec<usize>,
        progress: &Progress,
    ) -> Result<(), VaultError> {
        progress.total.store(cohort.cases.len(), Ordering::Relaxed);
        progress.done.store(cohort.cases.len() - missing.len(), Ordering::Relaxed);
        for places in missing.chunks(MOST_SCORES) {
            let of = |place: &usize| {
                let checkpoint = prediction::checkpoint(self.protocol, &cohort.cases[*place])?;
                Some((*place, checkpoint))
            };
            let checkpoints: Vec<_> = places.iter().filter_map(of).collect();
            let cases = checkpoints.iter().map(|(place, checkpoint)| (*place, checkpoint));
            self.vault.checkpoint_put_all(self.round, cases).await?;
            progress.add(places.len());
        }
        Ok(())
    }

    /// Both masks of each case. No model runs, so nothing is looked at again.
    async fn compare_masks(
        &self,
        cohort: &Cohort,
        structure: &Structure,
        missing: Vec<usize>,
        progress: &Progress,
    ) -> Result<(), EvaluateError> {
        progress.total.store(cohort.cases.len(), Ordering::Relaxed);
        progress.done.store(cohort.cases.len() - missing.len(), Ordering::Relaxed);
        let missing = purity::ordered(&self.secret, self.round, Pass::First, missing);
        let next = AtomicUsize::new(0);
        let cases = || {
            let index = *missing.get(next.fetch_add(1, Ordering::Relaxed))?;
            Some(Due { index, pass: Pass::First, case: &cohort.cases[index] })
        };
        let (done, finished) = mpsc::channel(MOST_CASES);
        let keywords = attributes::keywords(self.protocol);
        let lane = || {
            let program = BoxProgram::current(DECODE_ROLE).map_err(EvaluateError::NoBox)?;
            Ok::<_, EvaluateError>(MaskLane {
                structure,
                decoder: Decoder::new(program, self.decode_limits),
                max_file_bytes: self.decode_limits.max_file_bytes,
                keywords: &keywords,
            })
        };
        let lanes = (0..self.lanes.max(1).min(missing.len())).map(|_| lane());
        let lanes: Vec<_> = lanes.collect::<Result<_, _>>()?;
        let lanes: Vec<_> =
            lanes.into_iter().map(|lane| lane.run(iter::from_fn(cases), done.clone())).collect();
        drop(done);
        let (compared, recorded) = futures_util::future::join(
            futures_util::future::try_join_all(lanes),
            record(self.vault, self.round, finished, progress),
        )
        .await;
        recorded?;
        compared?;
        Ok(())
    }

    /// Cases that no checkpoint holds, then a secret sample once more (DC-22), which is returned.
    async fn evaluate_missing(
        &self,
        cohort: &Cohort,
        missing: Vec<usize>,
        progress: &Progress,
    ) -> Result<Vec<Done>, EvaluateError> {
        let scorable = (0..cohort.cases.len()).filter(|i| cohort.cases[*i].reference.is_some());
        let again = purity::again(&self.secret, self.round, scorable.collect());
        progress.total.store(cohort.cases.len() + again.len(), Ordering::Relaxed);
        progress.done.store(cohort.cases.len() - missing.len(), Ordering::Relaxed);
        let first = purity::ordered(&self.secret, self.round, Pass::First, missing);
        let first = first.into_iter().map(|index| (index, Pass::First));
        let due: Vec<(usize, Pass)> =
            first.chain(again.into_iter().map(|index| (index, Pass::Again))).collect();
        let next = AtomicUsize::new(0);
        let cases = || {
            let (index, pass) = *due.get(next.fetch_add(1, Ordering::Relaxed))?;
            Some(Due { index, pass, case: &cohort.cases[index] })
        };
        let lanes = self.lanes.max(1).min(due.len());
        let (done, finished) = mpsc::channel(MOST_CASES);
        let lanes: Vec<_> =
            (0..lanes).map(|_| self.run_lane(iter::from_fn(cases), done.clone())).collect();
        drop(done);
        // Where a lane fails, what was done before is still written; where nothing can be written,
        // the lanes stop.
        let (evaluated, recorded) = futures_util::future::join(
            futures_util::future::try_join_all(lanes),
            record(self.vault, self.round, finished, progress),
        )
        .await;
        let again = recorded?;
        evaluated?;
        Ok(again)
    }

    async fn run_lane<'c>(
        &self,
        cases: impl Iterator<Item = Due<'c>>,
        done: Sender<Done>,
    ) -> Result<(), EvaluateError> {
        let keywords = attributes::keywords(self.protocol);
        let decode = BoxProgram::current(DECODE_ROLE).map_err(EvaluateError::NoBox)?;
        let infer = BoxProgram::current(INFERENCE_ROLE).map_err(EvaluateError::NoBox)?;
        let model = ModelSource {
            program: &infer,
            limits: &self.inference_limits,
            protocol: self.protocol,
            file: self.model,
        };
        let lane = Lane {
            scorer: Scorer::load(model).await.map_err(LaneError::Load)?,
            reader: Reader {
                input: &self.protocol.model.input,
                keywords: &keywords,
                decoder: Decoder::new(decode, self.decode_limits),
                max_file_bytes: self.decode_limits.max_file_bytes,
                pacs: self.pacs,
            },
        };
        Ok(lane.run(cases, done).await?)
    }

    /// A missing reference standard is no failure of the index test.
    fn check_failures(
        &self,
        cohort: &Cohort,
        checkpoints: &BTreeMap<usize, Checkpoint>,
    ) -> Result<(), EvaluateError> {
        let is_failure = |outcome: &CaseOutcome| match outcome {
            CaseOutcome::Score(_) | CaseOutcome::Scores(_) | CaseOutcome::Masks(_) => false,
            CaseOutcome::Failed(reason) => *reason != FailureReason::NoReference,
        };
        // A manifest that became shorter leaves checkpoints behind.
        let own = checkpoints.range(..cohort.cases.len());
        let failed = own.filter(|(_, checkpoint)| is_failure(&checkpoint.outcome)).count();
        // A share, as the protocol states it: a product of both can fall below a whole number.
        let share = to_f64(failed) / to_f64(cohort.cases.len());
        if share > self.protocol.analysis.failure_limit {
            return Err(EvaluateError::TooManyFailures);
        }
        Ok(())
    }
}

/// Holds what was looked at again against what was found first, to the last bit.
fn check_again(
    checkpoints: &BTreeMap<usize, Checkpoint>,
    again: &[Done],
) -> Result<(), EvaluateError> {
    let same = |done: &Done| {
        let again = done.checkpoint.open_on_site();
        checkpoints.get(&done.index).is_none_or(|first| {
            // A file that changed meanwhile says nothing about the model.
            first.image != again.image || first.outcome == again.outcome
        })
    };
    if again.iter().all(same) { Ok(()) } else { Err(EvaluateError::Nondeterministic) }
}

/// Does what takes its time beside everything else: the agent's own thread answers the coordinator.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "cases, at most two million")]
fn to_f64(cases: usize) -> f64 {
    cases as f64
}

#[cfg(test)]
mod tests {
    use fedval_study::Sha256Digest;

    use super::*;

    fn checkpoint(score: f64, image: &[u8]) -> Checkpoint {
        Checkpoint {
            row: Sha256Digest::of(b"row"),
            outcome: CaseOutcome::Score(score.to_bits()),
            attributes: BTreeMap::new(),
            image: Some(Sha256Digest::of(image)),
        }
    }

    fn again(score: f64, image: &[u8]) -> [Done; 1] {
        let checkpoint = SiteLocal::new(checkpoint(score, image));
        [Done { index: 4, pass: Pass::Again, checkpoint }]
    }

    #[test]
    fn a26_a_score_that_does_not_come_back_to_the_last_bit_ends_the_evaluation() {
        let first = BTreeMap::from([(4, checkpoint(0.5, b"image"))]);
        assert!(check_again(&first, &again(0.5, b"image")).is_ok());
        let other = check_again(&first, &again(0.5_f64.next_up(), b"image")).unwrap_err();
        assert_eq!(
            (other.code(), other.stage()),
            ("NONDETERMINISTIC", Some(FailedStage::Evaluation))
        );
        assert!(check_again(&first, &again(0.9, b"another")).is_ok(), "the file changed meanwhile");
    }
}
