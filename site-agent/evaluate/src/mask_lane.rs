//! One lane of an evaluation of masks: both of a case are read and held against each other in a box. No model runs, so
//! nothing is looked at again.

use std::collections::BTreeMap;
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use fedval_disclosure::SiteLocal;
use fedval_inference::BoxProgram;
use fedval_ingest::{
    Case, Cohort, DECODE_ROLE, DecodeFailure, Decoder, IndexTest, MaskComparison, MaskMeasures,
    MaskRequest,
};
use fedval_stats::segmentation::Presence;
use fedval_study::Sha256Digest;
use fedval_study::protocol::Structure;
use fedval_study::summary::FailureReason;
use fedval_vault::{CaseOutcome, Checkpoint, MasksOutcome};
use tokio::sync::mpsc::{self, Sender};

use crate::error::EvaluateError;
use crate::lane::{Done, Due, LaneError, row_digest};
use crate::progress::Progress;
use crate::purity::Pass;
use crate::reader::{ImageFile, NoImage, UNREADABLE, read_file};
use crate::recorder::{MOST_CASES, record};
use crate::run::Evaluation;
use crate::{attributes, purity};

/// Holds both masks of each of these cases against each other, in as many lanes as the evaluation has.
pub(crate) async fn compare_all(
    evaluation: &Evaluation<'_>,
    structure: &Structure,
    cohort: &Cohort,
    cases: Vec<u32>,
    progress: &Progress,
) -> Result<(), EvaluateError> {
    let cases = purity::ordered(&evaluation.secret, evaluation.round, Pass::First, cases);
    let next = AtomicUsize::new(0);
    let due = || {
        let index = *cases.get(next.fetch_add(1, Ordering::Relaxed))? as usize;
        Some(Due { index, pass: Pass::First, case: cohort.case(index)? })
    };
    let (done, finished) = mpsc::channel(MOST_CASES);
    let keywords = attributes::keywords(evaluation.protocol);
    let limits = evaluation.decode_limits;
    let lane = |_| {
        let program = BoxProgram::current(DECODE_ROLE).map_err(EvaluateError::NoBox)?;
        let lane = MaskLane {
            structure,
            decoder: Decoder::new(program, limits),
            max_file_bytes: limits.max_file_bytes,
            keywords: &keywords,
        };
        Ok(lane.run(iter::from_fn(due), done.clone()))
    };
    let lanes = (0..evaluation.lanes.max(1).min(cases.len())).map(lane);
    let lanes = lanes.collect::<Result<Vec<_>, EvaluateError>>()?;
    drop(done);
    // Where a lane fails, what was done before is still written; where nothing can be written, the lanes stop.
    let (compared, recorded) = futures_util::future::join(
        futures_util::future::try_join_all(lanes),
        record(&evaluation.store, evaluation.round, finished, progress),
    )
    .await;
    recorded?;
    compared?;
    Ok(())
}

/// A decoder, and what it is to look for in two files.
pub(crate) struct MaskLane<'e> {
    pub(crate) structure: &'e Structure,
    pub(crate) decoder: Decoder,
    /// Largest file that is read.
    pub(crate) max_file_bytes: u64,
    /// Attributes that stand in the manifest in the place of an image's header.
    pub(crate) keywords: &'e [String],
}

/// The digest of both files, where they could be read, and what was measured of them.
type Compared = (Option<Sha256Digest>, Result<SiteLocal<MaskComparison>, NoImage>);

impl MaskLane<'_> {
    /// Evaluates `cases` until there is none left, or nobody records them any more.
    pub(crate) async fn run(
        mut self,
        cases: impl Iterator<Item = Due>,
        done: Sender<Done>,
    ) -> Result<(), LaneError> {
        for Due { index, pass, case } in cases {
            let checkpoint = SiteLocal::new(self.checkpoint(&case).await?);
            if done.send(Done { index, pass, checkpoint }).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn checkpoint(&mut self, case: &Case) -> Result<Checkpoint, LaneError> {
        let (image, outcome) = match &case.index_test {
            IndexTest::Masks { reference: None, .. } => {
                (None, CaseOutcome::Failed(FailureReason::NoReference))
            }
            IndexTest::Masks { reference: Some(reference), predicted: Some(predicted) } => {
                let (image, compared) = self.compare(reference, predicted).await?;
                (image, outcome(compared))
            }
            // A case without a result of the index test.
            _ => (None, CaseOutcome::Failed(FailureReason::InvalidOutput)),
        };
        let header =
            |keyword: &String| Some((keyword.clone(), case.attributes.get(keyword)?.to_owned()));
        let attributes: BTreeMap<_, _> = self.keywords.iter().filter_map(header).collect();
        Ok(Checkpoint { row: row_digest(case), outcome, attributes, image })
    }

    async fn compare(&mut self, reference: &Path, predicted: &Path) -> Result<Compared, LaneError> {
        let files = self.file(reference).await.zip(self.file(predicted).await);
        let Some(((reference, one), (predicted, other))) = files else {
            return Ok((None, Err(UNREADABLE)));
        };
        let (reference, predicted) = (&reference[..], &predicted[..]);
        let digest = Some(Sha256Digest::of(format!("{one} {other}").as_bytes()));
        let request = MaskRequest { structure: self.structure, reference, predicted };
        match self.decoder.compare(&request).await {
            Ok(compared) => Ok((digest, Ok(compared))),
            Err(DecodeFailure::Case { reason, detail }) => {
                Ok((digest, Err(NoImage { reason, code: detail })))
            }
            Err(error) => Err(LaneError::Machine(error)),
        }
    }

    async fn file(&self, path: &Path) -> Option<ImageFile> {
        let (path, max_bytes): (PathBuf, u64) = (path.to_path_buf(), self.max_file_bytes);
        let file = tokio::task::spawn_blocking(move || read_file(&path, max_bytes)).await;
        file.ok().flatten()
    }
}

/// No log line where there is none: whoever counts them knows how many of a site's cases fail.
pub(crate) fn outcome(compared: Result<SiteLocal<MaskComparison>, NoImage>) -> CaseOutcome {
    let compared = match compared {
        Ok(compared) => compared,
        Err(none) => return none.outcome(),
    };
    let MaskComparison { presence, measures } = *compared.open_on_site();
    match (presence, measures) {
        (Presence::Both, Some(MaskMeasures { dice, hd95_mm, nsd })) => {
            CaseOutcome::Masks(MasksOutcome::Both([dice, hd95_mm, nsd].map(f64::to_bits)))
        }
        (Presence::Both, None) => CaseOutcome::Failed(FailureReason::InvalidOutput),
        (Presence::OnlyReference, _) => CaseOutcome::Masks(MasksOutcome::OnlyReference),
        (Presence::OnlyPredicted, _) => CaseOutcome::Masks(MasksOutcome::OnlyPredicted),
        (Presence::Neither, _) => CaseOutcome::Masks(MasksOutcome::Neither),
    }
}
