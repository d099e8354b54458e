//! Scores that were made elsewhere: every case of a prediction table, checkpointed without a model.

use fedval_disclosure::SiteLocal;
use fedval_ingest::{Case, IndexTest};
use fedval_study::Sha256Digest;
use fedval_study::protocol::StudyProtocol;
use fedval_study::summary::FailureReason;
use fedval_vault::{CaseOutcome, Checkpoint};

use crate::attributes;
use crate::lane::row_digest;

/// What becomes of a case whose scores are known; `None` of one that has an image.
pub(crate) fn checkpoint(protocol: &StudyProtocol, case: &Case) -> Option<SiteLocal<Checkpoint>> {
    let scores = match &case.index_test {
        // Findings are matched as a whole, and need no checkpoint; masks are compared in a box.
        IndexTest::Image(_)
        | IndexTest::Instance(_)
        | IndexTest::Findings(_)
        | IndexTest::Masks { .. }
        | IndexTest::Outlined { .. }
        | IndexTest::Searched { .. } => return None,
        IndexTest::Score(score) => score.as_ref().map(std::slice::from_ref),
        IndexTest::Scores(scores) => scores.as_deref(),
    };
    let usable = scores.filter(|scores| protocol.model.output.holds(scores));
    let outcome = match (case.reference, usable) {
        (None, _) => CaseOutcome::Failed(FailureReason::NoReference),
        (Some(_), None) => CaseOutcome::Failed(FailureReason::InvalidOutput),
        (Some(_), Some(scores)) => outcome(protocol, scores),
    };
    Some(SiteLocal::new(Checkpoint {
        row: row_digest(case),
        outcome,
        attributes: attributes::brought(protocol, case),
        // The commitment names the scores, as it names the image of other cohorts.
        image: scores.map(digest),
    }))
}

/// Usable scores as a checkpoint holds them.
pub(crate) fn outcome(protocol: &StudyProtocol, scores: &[f64]) -> CaseOutcome {
    match scores {
        [score] if protocol.task.scores() == 1 => CaseOutcome::Score(score.to_bits()),
        scores => CaseOutcome::Scores(scores.iter().map(|score| score.to_bits()).collect()),
    }
}

fn digest(scores: &[f64]) -> Sha256Digest {
    let bytes: Vec<u8> = scores.iter().flat_map(|score| score.to_bits().to_be_bytes()).collect();
    Sha256Digest::of(&bytes)
}
