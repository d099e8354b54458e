//! Scores that were made elsewhere: every case of a prediction table, checkpointed without a model.

use std::collections::BTreeMap;

use fedval_disclosure::SiteLocal;
use fedval_ingest::Case;
use fedval_study::Sha256Digest;
use fedval_study::protocol::{ScoreScale, StudyProtocol};
use fedval_study::summary::FailureReason;
use fedval_vault::{CaseOutcome, Checkpoint};

use crate::attributes;
use crate::lane::row_digest;

/// What becomes of a case whose score is known.
pub(crate) fn checkpoint(
    protocol: &StudyProtocol,
    case: &Case,
    score: Option<f64>,
) -> SiteLocal<Checkpoint> {
    let usable = score.filter(|score| is_on_scale(*score, protocol.model.output.scale));
    let outcome = match (case.reference, usable) {
        (None, _) => CaseOutcome::Failed(FailureReason::NoReference),
        (Some(_), None) => CaseOutcome::Failed(FailureReason::InvalidOutput),
        (Some(_), Some(score)) => CaseOutcome::Score(score.to_bits()),
    };
    let keywords = attributes::keywords(protocol);
    let header = |keyword: &String| Some((keyword.clone(), case.attributes.get(keyword)?.clone()));
    SiteLocal::new(Checkpoint {
        row: row_digest(case),
        outcome,
        attributes: keywords.iter().filter_map(header).collect::<BTreeMap<_, _>>(),
        // The commitment names the score, as it names the image of other cohorts.
        image: score.map(|score| Sha256Digest::of(&score.to_bits().to_be_bytes())),
    })
}

fn is_on_scale(score: f64, scale: ScoreScale) -> bool {
    match scale {
        ScoreScale::Probability => (0.0..=1.0).contains(&score),
        ScoreScale::Logit => score.is_finite(),
    }
}
