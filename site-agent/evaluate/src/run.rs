//! The whole evaluation of one job, resumable to the case.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use fedval_disclosure::SiteLocal;
use fedval_inference::{BoxProgram, INFERENCE_ROLE, InferenceLimits, ModelEngine};
use fedval_ingest::{
    Case, Cohort, DECODE_ROLE, DecodeLimits, Decoder, IndexTestColumn, ManifestSource, Pacs,
    read_manifest,
};
use fedval_study::protocol::{PredictionTables, StudyProtocol};
use fedval_study::{RoundId, SiteSummary};
use fedval_vault::{Checkpoint, VaultError};
use tokio::sync::mpsc::{self, Sender};

use crate::error::EvaluateError;
use crate::evaluated::Evaluated;
use crate::judge::Judge;
use crate::lane::{Done, Due, Lane, LaneError, row_digest};
use crate::progress::Progress;
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
    /// The smallest group of patients that may be told of: see [`Terms::k`](fedval_study::Terms::k).
    pub k: u64,
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
        match &self.source.columns.index_test {
            IndexTestColumn::Findings(source) => {
                return self.match_findings(cohort, source.clone(), progress).await;
            }
            IndexTestColumn::Searched { findings, .. } => {
                return self.search(cohort, findings.clone(), progress).await;
            }
            _ => {}
        }
        let again = self.look_at_all(cohort.open_on_site(), progress).await?;
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
        let mut is_own = vec![false; cohort.patients()];
        for (own, id) in is_own.iter_mut().zip(cohort.patient_ids()) {
            *own = shard.holds(&self.secret, self.round, id);
        }
        let mut missing = self.missing(cohort).await?;
        missing.retain(|place| {
            let patient = cohort.patient(*place as usize);
            patient.is_some_and(|patient| is_own[patient as usize])
        });
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

    /// Every case that no checkpoint holds; what was looked at again is returned.
    pub(crate) async fn look_at_all(
        &self,
        cohort: &Cohort,
        progress: &Progress,
    ) -> Result<Vec<Done>, EvaluateError> {
        let missing = self.missing(cohort).await?;
        let again = self.drawn_again(cohort);
        progress.begin(cohort.len() + again.len(), cohort.len() - missing.len());
        self.look_at(cohort, missing, again, progress).await
    }

    /// Gathers what became of each case, and holds it against what was looked at again and the protocol's limit.
    async fn gather(
        &self,
        cohort: SiteLocal<Cohort>,
        again: &[Done],
    ) -> Result<Evaluated, EvaluateError> {
        let mut evaluated =
            Evaluated::new(self.protocol.clone(), self.secret, (self.grid, self.k), cohort);
        self.take_all(again, |index, checkpoint| evaluated.take(index, checkpoint)).await?;
        self.check_share(evaluated.failed_share())?;
        Ok(evaluated)
    }

    /// Hands on what became of each case, and holds it against what was looked at again.
    pub(crate) async fn take_all(
        &self,
        again: &[Done],
        mut take: impl FnMut(usize, &Checkpoint),
    ) -> Result<(), EvaluateError> {
        let looked_at_again: BTreeSet<usize> = again.iter().map(|done| done.index).collect();
        let mut first = BTreeMap::new();
        self.store
            .for_each(self.round, |index, checkpoint| {
                take(index, checkpoint);
                if looked_at_again.contains(&index) {
                    first.insert(index, checkpoint.clone());
                }
            })
            .await?;
        check_again(&first, again)
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
    async fn missing(&self, cohort: &Cohort) -> Result<Vec<u32>, VaultError> {
        let is_table = self.source.columns.index_test.is_table();
        let is_of = |case: &Case, checkpoint: &Checkpoint| {
            let row = row_digest(case);
            if is_table {
                return checkpoint.row == row;
            }
            let row = marked(row, self.engine, self.protocol);
            // What this process scored itself, or a shard on the same kind of machine.
            let is_own = checkpoint.row == row && !self.store.is_shard();
            is_own || checkpoint.row == machine::marked(row)
        };
        let mut is_done = vec![false; cohort.len()];
        self.store
            .for_each(self.round, |index, checkpoint| {
                if let Some(case) = cohort.case(index) {
                    is_done[index] = is_of(&case, checkpoint);
                }
            })
            .await?;
        Ok(places(cohort).filter(|place| !is_done[*place as usize]).collect())
    }

    /// Cases that are looked at once more (DC-22). Where results were brought no model runs, and none is.
    fn drawn_again(&self, cohort: &Cohort) -> Vec<u32> {
        if self.source.columns.index_test.is_table() {
            return Vec::new();
        }
        let scorable = places(cohort).filter(|place| cohort.reference(*place as usize).is_some());
        purity::again(&self.secret, self.round, scorable.collect())
    }

    /// Cases that no checkpoint holds, from whatever the source has; what was looked at `again` is returned.
    async fn look_at(
        &self,
        cohort: &Cohort,
        missing: Vec<u32>,
        again: Vec<u32>,
        progress: &Progress,
    ) -> Result<Vec<Done>, EvaluateError> {
        if !self.source.columns.index_test.is_table() {
            return self.evaluate_cases(cohort, missing, again, progress).await;
        }
        match self.protocol.task.structure() {
            // Both masks were brought.
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
        missing: &[u32],
        progress: &Progress,
    ) -> Result<(), VaultError> {
        for places in missing.chunks(MOST_SCORES) {
            let of = |place: &u32| {
                let index = *place as usize;
                let checkpoint = prediction::checkpoint(self.protocol, &cohort.case(index)?)?;
                Some(Done { index, pass: Pass::First, checkpoint })
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
        missing: Vec<u32>,
        again: Vec<u32>,
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
        let next = AtomicUsize::new(0);
        let cases = || {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let (place, pass) = match turn.checked_sub(first.len()) {
                None => (first[turn], Pass::First),
                Some(turn) => (*again.get(turn)?, Pass::Again),
            };
            let index = place as usize;
            Some(Due { index, pass, case: cohort.case(index)? })
        };
        let lanes = self.lanes.max(1).min(first.len() + again.len());
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
    pub(crate) async fn run_lane(
        &self,
        engine: &ModelEngine,
        cases: impl Iterator<Item = Due>,
        done: Sender<Done>,
    ) -> Result<(), EvaluateError> {
        let keywords = attributes::keywords(self.protocol);
        let infer = BoxProgram::current(INFERENCE_ROLE).map_err(EvaluateError::NoBox)?;
        let model = self.model_source(engine, &infer);
        let lane = Lane {
            scorer: Scorer::load(model).await.map_err(LaneError::Load)?,
            reader: self.reader(&keywords)?,
            judge: Judge { protocol: self.protocol, decoder: self.decoder()? },
        };
        Ok(lane.run(cases, done).await?)
    }

    /// What it takes to load the model with `engine`.
    pub(crate) fn model_source<'s>(
        &'s self,
        engine: &'s ModelEngine,
        program: &'s BoxProgram,
    ) -> ModelSource<'s> {
        ModelSource {
            engine,
            program,
            limits: &self.inference_limits,
            protocol: self.protocol,
            file: self.model,
            is_shard: self.store.is_shard(),
        }
    }

    /// Reads images of this evaluation's source.
    pub(crate) fn reader<'s>(
        &'s self,
        keywords: &'s [String],
    ) -> Result<Reader<'s>, EvaluateError> {
        Ok(Reader {
            input: &self.protocol.model.input,
            keywords,
            decoder: self.decoder()?,
            max_file_bytes: self.decode_limits.max_file_bytes,
            pacs: self.pacs,
        })
    }

    fn decoder(&self) -> Result<Decoder, EvaluateError> {
        let program = BoxProgram::current(DECODE_ROLE).map_err(EvaluateError::NoBox)?;
        Ok(Decoder::new(program, self.decode_limits))
    }
}

/// The places of all cases, of which a manifest has at most two million.
fn places(cohort: &Cohort) -> Range<u32> {
    0..u32::try_from(cohort.len()).unwrap_or(u32::MAX)
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
            first.image != again.image || first.outcome.agrees_with(&again.outcome)
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
    use fedval_study::summary::FailureReason;
    use fedval_study::{FailedStage, Problem as _, Sha256Digest};
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

    /// One box that a file ended was ended by the kernel, the next by itself.
    #[test]
    fn how_a_box_ended_is_no_answer_of_the_model() {
        let of = |outcome| Checkpoint { outcome, ..checkpoint(0.0, b"image") };
        let first = BTreeMap::from([(4, of(CaseOutcome::Forbidden))]);
        let again = |outcome| {
            [Done { index: 4, pass: Pass::Again, checkpoint: SiteLocal::new(of(outcome)) }]
        };
        let undecodable = CaseOutcome::Failed(FailureReason::Undecodable);
        assert!(check_again(&first, &again(undecodable)).is_ok());
        let other = CaseOutcome::Failed(FailureReason::WrongSize);
        assert!(check_again(&first, &again(other)).is_err());
        assert!(check_again(&first, &again(CaseOutcome::Score(0))).is_err());
    }
}
