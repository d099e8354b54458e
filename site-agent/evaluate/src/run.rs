//! The whole evaluation of one job, resumable to the case.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use fedval_disclosure::SiteLocal;
use fedval_inference::{BoxProgram, INFERENCE_ROLE, InferenceLimits, LoadError, ModelEngine};
use fedval_ingest::{
    Cohort, DECODE_ROLE, DecodeLimits, Decoder, FindingsError, IndexTestColumn, ManifestError,
    ManifestSource, Pacs, PacsError, read_manifest,
};
use fedval_preprocess::probe::Drift;
use fedval_study::protocol::{PredictionTables, StudyProtocol};
use fedval_study::{Exit, FailedStage, ProbeName, Problem, RoundId, SiteSummary};
use fedval_vault::{Checkpoint, VaultError};
use tokio::sync::mpsc::{self, Sender};

use crate::evaluated::Evaluated;
use crate::lane::{Done, Due, Lane, LaneError, row_digest};
use crate::purity::Pass;
use crate::reader::Reader;
use crate::recorder::{MOST_CASES, record};
use crate::scorer::{ModelSource, Scorer, marked};
use crate::shard::Shard;
use crate::store::Store;
use crate::unit::ScoreGrid;
use crate::{agreement, attributes, machine, mask_lane, prediction, purity};

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

    /// Sets how many cases there are in all, and how many were done before.
    pub(crate) fn begin(&self, total: usize, done: usize) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
    }

    /// Counts cases that are on the disk, or of a dry run, that were looked at.
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
    /// The findings are refused.
    #[error("the findings are refused")]
    Findings(#[from] FindingsError),
    /// Findings that were read cannot be matched: this program is at fault.
    #[error("the findings cannot be matched")]
    NotMatched,
    /// The source has scores, and the protocol wants images.
    #[error("the study does not accept prediction tables")]
    PredictionsNotAccepted,
    /// The model cannot be loaded.
    #[error("the model cannot be loaded")]
    ModelLoad(#[source] LoadError),
    /// The model cannot be run.
    #[error("the model ended its box, again and again on one case or by what it tried")]
    ModelDies(#[source] fedval_inference::ScoreError),
    /// Two engines came to different scores of one case.
    #[error("two engines gave one case different scores")]
    EnginesDisagree,
    /// A case that was looked at again came to another score.
    #[error("the model gave one case two different scores")]
    Nondeterministic,
    /// Too many cases failed.
    #[error("more cases failed than the protocol allows")]
    TooManyFailures,
    /// This machine does not preprocess as the protocol says: no case was read, and nothing was spent.
    #[error("no image was read: {0}")]
    PreprocessingDiffers(Drift),
    /// A probe image does not come out of its box.
    #[error("no image was read: the probe image `{probe}` cannot be decoded here ({detail})")]
    ProbeNotDecoded {
        /// The probe.
        probe: ProbeName,
        /// Stable code of what became of it.
        detail: &'static str,
    },
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
    pub fn stage(&self) -> Option<FailedStage> {
        match self {
            Self::Manifest(error) if error.is_of_this_machine() => None,
            Self::Manifest(_) | Self::Findings(_) | Self::PredictionsNotAccepted => {
                Some(FailedStage::DataSource)
            }
            // A box that does not start says nothing about the model.
            Self::ModelLoad(LoadError::NotRead { .. } | LoadError::NotStarted { .. })
            | Self::Machine(_)
            | Self::NoBox(_)
            | Self::Pacs(_)
            | Self::PreprocessingDiffers(_)
            | Self::ProbeNotDecoded { .. }
            | Self::Vault(_) => None,
            Self::ModelLoad(error) if error.waits().is_some() => None,
            Self::ModelDies(error) if error.waits().is_some() => None,
            Self::ModelLoad(_) => Some(FailedStage::ModelLoad),
            Self::ModelDies(_)
            | Self::TooManyFailures
            | Self::EnginesDisagree
            | Self::Nondeterministic
            | Self::NotMatched => Some(FailedStage::Evaluation),
        }
    }

    /// Whether what this site fetches images from or runs models with cannot be used now, so that the job waits.
    /// True inside if it may be over in a minute; otherwise a person has something to do.
    #[must_use]
    pub const fn waits(&self) -> Option<bool> {
        match self {
            Self::Pacs(error) => Some(error.is_passing()),
            Self::ModelLoad(error) => error.waits(),
            Self::ModelDies(error) => error.waits(),
            _ => None,
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
            Self::Findings(error) => error.code(),
            Self::NotMatched => "PROGRAM_FAULT",
            Self::PredictionsNotAccepted => "PREDICTIONS_NOT_ACCEPTED",
            Self::ModelLoad(error) => error.code(),
            Self::ModelDies(error) => error.code(),
            Self::EnginesDisagree => "ENGINES_DISAGREE",
            Self::Nondeterministic => "NONDETERMINISTIC",
            Self::TooManyFailures => "TOO_MANY_FAILED_CASES",
            Self::Machine(error) => error.code(),
            Self::NoBox(_) => "SANDBOX_NOT_STARTED",
            Self::Pacs(error) => error.code(),
            Self::PreprocessingDiffers(_) | Self::ProbeNotDecoded { .. } => "PREPROCESSING_DIFFERS",
            Self::Vault(error) => error.code(),
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Manifest(error) => error.remedy(),
            Self::Findings(error) => error.remedy(),
            Self::NotMatched => Some("tell the maintainers: nothing was released".to_owned()),
            Self::PredictionsNotAccepted => Some(
                "give the study a data source with images, or ask the sponsor for a protocol that \
                 accepts prediction tables"
                    .to_owned(),
            ),
            Self::ModelLoad(error) => error.remedy(),
            Self::ModelDies(error) => error.remedy(),
            Self::EnginesDisagree => Some(
                "nothing was released: look whether the inference server has the sponsor's file, and \
                 whether the library is a release that is still maintained; then run `fedval-agent check` \
                 and ask for a new round"
                    .to_owned(),
            ),
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
            Self::PreprocessingDiffers(_) | Self::ProbeNotDecoded { .. } => Some(
                "install the coordinator's release of fedval-agent, then run `fedval-agent check \
                 --study STUDY`"
                    .to_owned(),
            ),
            Self::Vault(error) => error.remedy(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::ModelLoad(LoadError::NotRead { .. } | LoadError::NotStarted { .. })
            | Self::Machine(_)
            | Self::NoBox(_)
            | Self::PreprocessingDiffers(_)
            | Self::ProbeNotDecoded { .. }
            | Self::Vault(_) => Exit::Machine,
            Self::Pacs(error) => error.exit(),
            Self::Manifest(error) => error.exit(),
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
    pub store: Store<'e>,
    /// The site's secret: for its commitment, its ledger, and the order of cases.
    pub secret: [u8; 32],
    /// How finely scores are told apart.
    pub grid: ScoreGrid,
    /// Limits of decoding.
    pub decode_limits: DecodeLimits,
    /// Limits of inference.
    pub inference_limits: InferenceLimits,
    /// Who runs the model.
    pub engine: &'e ModelEngine,
    /// Who runs it too, on a few cases, and must come to the same scores.
    pub second_engine: Option<&'e ModelEngine>,
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
        let cohort = self.cohort().await?;
        if let IndexTestColumn::Findings(source) = &self.source.columns.index_test {
            return self.match_findings(cohort, source.clone(), progress).await;
        }
        let again = {
            let cohort = cohort.open_on_site();
            let missing = self.missing(cohort).await?;
            let again = self.drawn_again(cohort);
            progress.begin(cohort.cases.len() + again.len(), cohort.cases.len() - missing.len());
            self.look_at(cohort, missing, again, progress).await?
        };
        let evaluated = self.gather(cohort, &again).await?;
        Ok(aside(move || evaluated.summarise()).await)
    }

    /// Evaluates every case of one process of several that no checkpoint holds. Nothing is counted, and none is looked at again:
    /// that is for whoever brings all of them together.
    ///
    /// # Errors
    ///
    /// See [`EvaluateError`].
    pub async fn run_shard(&self, shard: Shard, progress: &Progress) -> Result<(), EvaluateError> {
        let cohort = self.cohort().await?;
        let cohort = cohort.open_on_site();
        let mut is_own = vec![false; cohort.patient_ids.len()];
        for (own, id) in is_own.iter_mut().zip(&cohort.patient_ids) {
            *own = shard.holds(&self.secret, self.round, id);
        }
        let mut missing = self.missing(cohort).await?;
        missing.retain(|place| is_own[cohort.cases[*place].patient as usize]);
        progress.begin(missing.len(), 0);
        self.look_at(cohort, missing, Vec::new(), progress).await?;
        Ok(())
    }

    /// The cohort as the manifest says it.
    async fn cohort(&self) -> Result<SiteLocal<Cohort>, EvaluateError> {
        let is_table = self.source.columns.index_test.is_table();
        if is_table && self.protocol.prediction_tables == PredictionTables::Refuse {
            return Err(EvaluateError::PredictionsNotAccepted);
        }
        let (source, protocol) = (self.source.clone(), self.protocol.clone());
        let cohort = aside(move || {
            let columns = attributes::attribute_columns(&protocol, &source.columns);
            read_manifest(&source, protocol.labels(), &columns)
        });
        Ok(cohort.await?)
    }

    /// Gathers what became of each case, and holds it against what was looked at again and the protocol's limit.
    async fn gather(
        &self,
        cohort: SiteLocal<Cohort>,
        again: &[Done],
    ) -> Result<Evaluated, EvaluateError> {
        let mut evaluated = Evaluated::new(self.protocol.clone(), self.secret, self.grid, cohort);
        let looked_at_again: BTreeSet<usize> = again.iter().map(|done| done.index).collect();
        let mut first = BTreeMap::new();
        self.store
            .for_each(self.round, |index, checkpoint| {
                evaluated.take(index, checkpoint);
                if looked_at_again.contains(&index) {
                    first.insert(index, checkpoint.clone());
                }
            })
            .await?;
        check_again(&first, again)?;
        self.check_share(evaluated.failed_share())?;
        Ok(evaluated)
    }

    /// Whether no more cases failed than the protocol allows.
    pub(crate) fn check_share(&self, failed: f64) -> Result<(), EvaluateError> {
        // A share, as the protocol states it: a product of both can fall below a whole number.
        if failed > self.protocol.analysis.failure_limit {
            return Err(EvaluateError::TooManyFailures);
        }
        Ok(())
    }

    /// Places of the cases that no checkpoint holds.
    async fn missing(&self, cohort: &Cohort) -> Result<Vec<usize>, VaultError> {
        let is_table = self.source.columns.index_test.is_table();
        let is_of = |case, checkpoint: &Checkpoint| {
            let row = row_digest(case);
            if is_table {
                return checkpoint.row == row;
            }
            let row = marked(row, self.engine, self.protocol);
            // What this process scored itself, or a shard on the same kind of machine.
            let is_own = checkpoint.row == row && !self.store.is_shard();
            is_own || checkpoint.row == machine::marked(row)
        };
        let mut is_done = vec![false; cohort.cases.len()];
        self.store
            .for_each(self.round, |index, checkpoint| {
                if let Some(case) = cohort.cases.get(index) {
                    is_done[index] = is_of(case, checkpoint);
                }
            })
            .await?;
        Ok((0..cohort.cases.len()).filter(|index| !is_done[*index]).collect())
    }

    /// Cases that are looked at once more (DC-22). Where results were brought no model runs, and none is.
    fn drawn_again(&self, cohort: &Cohort) -> Vec<usize> {
        if self.source.columns.index_test.is_table() {
            return Vec::new();
        }
        let scorable = (0..cohort.cases.len()).filter(|i| cohort.cases[*i].reference.is_some());
        purity::again(&self.secret, self.round, scorable.collect())
    }

    /// Cases that no checkpoint holds, from whatever the source has; what was looked at `again` is returned.
    async fn look_at(
        &self,
        cohort: &Cohort,
        missing: Vec<usize>,
        again: Vec<usize>,
        progress: &Progress,
    ) -> Result<Vec<Done>, EvaluateError> {
        if !self.source.columns.index_test.is_table() {
            return self.evaluate_cases(cohort, missing, again, progress).await;
        }
        match self.protocol.task.structure() {
            Some(structure) => {
                mask_lane::compare_all(self, structure, cohort, missing, progress).await?;
            }
            None => self.record_scores(cohort, &missing, progress).await?,
        }
        Ok(Vec::new())
    }

    /// The scores of a prediction table.
    async fn record_scores(
        &self,
        cohort: &Cohort,
        missing: &[usize],
        progress: &Progress,
    ) -> Result<(), VaultError> {
        for places in missing.chunks(MOST_SCORES) {
            let of = |place: &usize| {
                let checkpoint = prediction::checkpoint(self.protocol, &cohort.cases[*place])?;
                Some(Done { index: *place, pass: Pass::First, checkpoint })
            };
            self.store.put_all(self.round, places.iter().filter_map(of).collect()).await?;
            progress.add(places.len());
        }
        Ok(())
    }

    /// Cases that no checkpoint holds, then a secret sample once more (DC-22), which is returned.
    async fn evaluate_cases(
        &self,
        cohort: &Cohort,
        missing: Vec<usize>,
        again: Vec<usize>,
        progress: &Progress,
    ) -> Result<Vec<Done>, EvaluateError> {
        if let Some(pacs) = self.pacs.filter(|_| !missing.is_empty()) {
            // A wrong address would otherwise fail every case.
            pacs.check().await?;
        }
        let second = match self.second_engine {
            // Before anything is evaluated: an engine that is not to be used is not used.
            Some(second) => agreement::check(self, second, cohort, &again).await?,
            None => Vec::new(),
        };
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
        let lanes: Vec<_> = (0..lanes)
            .map(|_| self.run_lane(self.engine, iter::from_fn(cases), done.clone()))
            .collect();
        drop(done);
        // Where a lane fails, what was done before is still written; where nothing can be written,
        // the lanes stop.
        let (evaluated, recorded) = futures_util::future::join(
            futures_util::future::try_join_all(lanes),
            record(&self.store, self.round, finished, progress),
        )
        .await;
        let again = recorded?;
        evaluated?;
        agreement::still_agrees(&second, &again)?;
        Ok(again)
    }

    /// Runs `cases` through `engine`, one after the other.
    pub(crate) async fn run_lane<'c>(
        &self,
        engine: &ModelEngine,
        cases: impl Iterator<Item = Due<'c>>,
        done: Sender<Done>,
    ) -> Result<(), EvaluateError> {
        let keywords = attributes::keywords(self.protocol);
        let decode = BoxProgram::current(DECODE_ROLE).map_err(EvaluateError::NoBox)?;
        let infer = BoxProgram::current(INFERENCE_ROLE).map_err(EvaluateError::NoBox)?;
        let model = ModelSource {
            engine,
            program: &infer,
            limits: &self.inference_limits,
            protocol: self.protocol,
            file: self.model,
            is_shard: self.store.is_shard(),
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
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use fedval_study::Sha256Digest;
    use fedval_vault::CaseOutcome;

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
