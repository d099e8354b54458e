//! Two engines on the same cases: a site that has a second one lets it look at a few of them too.
//!
//! Which they are only this site can know, as for the cases that go through the model again (DC-22): an
//! engine, or a server that has another model, cannot aim at them.

use fedval_disclosure::SiteLocal;
use fedval_inference::{BoxProgram, INFERENCE_ROLE, ModelAnswer, ModelEngine};
use fedval_ingest::Cohort;
use fedval_study::protocol::OutputForm;
use fedval_vault::CaseOutcome;
use tokio::sync::mpsc;

use crate::attributes;
use crate::error::EvaluateError;
use crate::lane::{Done, Due, LaneError};
use crate::purity::Pass;
use crate::run::Evaluation;
use crate::scorer::Scorer;

/// Cases that both look at, at most.
const MOST_CASES: usize = 10;

/// Largest difference between two scores of one output: on the protocol's scale where both are 1 at most, and beyond as a
/// share of the larger one, because 32-bit floats have that many digits and no more. Engines add up in different orders:
/// about 2 · 10⁻⁶ was seen.
const TOLERANCE: f64 = 1e-4;

/// Lets the evaluation's engine and `second` look at the first of `drawn`, and compares. Returned is what `second` found.
pub(crate) async fn check(
    evaluation: &Evaluation<'_>,
    second: &ModelEngine,
    cohort: &Cohort,
    drawn: &[u32],
) -> Result<Vec<Done>, EvaluateError> {
    let cases = &drawn[..drawn.len().min(MOST_CASES)];
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    if evaluation.protocol.model.output.form != OutputForm::Scores {
        compare_tensors(evaluation, second, cohort, cases).await?;
        return Ok(Vec::new());
    }
    let one = look(evaluation, evaluation.engine, cohort, cases).await?;
    let other = look(evaluation, second, cohort, cases).await?;
    if one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| agree(one, other)) {
        Ok(other)
    } else {
        Err(EvaluateError::EnginesDisagree)
    }
}

/// Holds the tensors of both engines against each other. What is made of them cannot be compared: of a pixel at the threshold a
/// last bit decides, and so it does of a box that just overlaps.
async fn compare_tensors(
    evaluation: &Evaluation<'_>,
    second: &ModelEngine,
    cohort: &Cohort,
    cases: &[u32],
) -> Result<(), EvaluateError> {
    let keywords = attributes::keywords(evaluation.protocol);
    let infer = BoxProgram::current(INFERENCE_ROLE).map_err(EvaluateError::NoBox)?;
    let mut reader = evaluation.reader(&keywords)?;
    let one = evaluation.model_source(evaluation.engine, &infer);
    let mut one = Scorer::load(one).await.map_err(LaneError::Load)?;
    let other = evaluation.model_source(second, &infer);
    let mut other = Scorer::load(other).await.map_err(LaneError::Load)?;
    for index in cases {
        // What cannot be read says nothing about the engines.
        let Some(case) = cohort.case(*index as usize) else { continue };
        let (_, Ok(image)) = reader.read(&case).await? else { continue };
        let tensor = image.open_on_site().tensor();
        let (one, other) = (one.answer(&tensor).await?, other.answer(&tensor).await?);
        let (one, other) = (one.as_ref(), other.as_ref());
        if !is_same_answer(one.map(SiteLocal::open_on_site), other.map(SiteLocal::open_on_site)) {
            return Err(EvaluateError::EnginesDisagree);
        }
    }
    Ok(())
}

fn is_same_answer(one: Option<&ModelAnswer>, other: Option<&ModelAnswer>) -> bool {
    match (one, other) {
        (Some(ModelAnswer::Tensor(one)), Some(ModelAnswer::Tensor(other))) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len()
                && pairs.all(|(one, other)| is_near(f64::from(*one), f64::from(*other)))
        }
        (one, other) => one == other,
    }
}

/// Holds what a second engine `found` against what the evaluation's engine came to when it looked `again`, which is what it came to
/// first, to the last bit: an engine that was loaded again since, or a server that has another model by now, is noticed.
pub(crate) fn still_agrees(found: &[Done], again: &[Done]) -> Result<(), EvaluateError> {
    let agrees = |second: &Done| {
        again.iter().filter(|done| done.index == second.index).all(|done| agree(done, second))
    };
    if found.iter().all(agrees) { Ok(()) } else { Err(EvaluateError::EnginesDisagree) }
}

/// What `engine` makes of `cases`, in their order.
async fn look(
    evaluation: &Evaluation<'_>,
    engine: &ModelEngine,
    cohort: &Cohort,
    cases: &[u32],
) -> Result<Vec<Done>, EvaluateError> {
    let due = |index: &u32| {
        let index = *index as usize;
        Some(Due { index, pass: Pass::Again, case: cohort.case(index)? })
    };
    // There is room for all of them: nobody has to take any before the last is done.
    let (done, mut finished) = mpsc::channel(cases.len());
    evaluation.run_lane(engine, cases.iter().filter_map(due), done).await?;
    let mut looked = Vec::with_capacity(cases.len());
    while let Some(case) = finished.recv().await {
        looked.push(case);
    }
    Ok(looked)
}

fn agree(one: &Done, other: &Done) -> bool {
    let (first, second) = (one.checkpoint.open_on_site(), other.checkpoint.open_on_site());
    // A file that changed meanwhile says nothing about the engines.
    one.index == other.index
        && (first.image != second.image || is_same(&first.outcome, &second.outcome))
}

fn is_same(one: &CaseOutcome, other: &CaseOutcome) -> bool {
    let is_near = |one: u64, other: u64| is_near(f64::from_bits(one), f64::from_bits(other));
    match (one, other) {
        (CaseOutcome::Score(one), CaseOutcome::Score(other)) => is_near(*one, *other),
        (CaseOutcome::Scores(one), CaseOutcome::Scores(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_near(*one, *other))
        }
        (one, other) => one.agrees_with(other),
    }
}

fn is_near(one: f64, other: f64) -> bool {
    let (apart, largest) = ((one - other).abs(), one.abs().max(other.abs()).max(1.0));
    apart.is_finite() && apart <= TOLERANCE * largest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fedval_disclosure::SiteLocal;
    use fedval_study::Sha256Digest;
    use fedval_study::summary::FailureReason;
    use fedval_vault::Checkpoint;

    use super::*;

    fn done(index: usize, score: f64, image: &[u8]) -> Done {
        let checkpoint = SiteLocal::new(Checkpoint {
            row: Sha256Digest::of(b"row"),
            outcome: CaseOutcome::Score(score.to_bits()),
            attributes: BTreeMap::new(),
            image: Some(Sha256Digest::of(image)),
        });
        Done { index, pass: Pass::Again, checkpoint }
    }

    #[test]
    fn the_scores_that_count_are_held_against_the_second_engine() {
        let found = [done(1, 0.5, b"one"), done(4, 0.25, b"four")];
        // In another order, and with cases that the second engine did not look at.
        let again = [done(4, 0.250_01, b"four"), done(7, 0.9, b"seven"), done(1, 0.5, b"one")];
        assert!(still_agrees(&found, &again).is_ok());
        let other = [done(4, 0.75, b"four"), done(1, 0.5, b"one")];
        assert!(matches!(still_agrees(&found, &other), Err(EvaluateError::EnginesDisagree)));
        let changed = [done(4, 0.75, b"another"), done(1, 0.5, b"one")];
        assert!(still_agrees(&found, &changed).is_ok(), "the file changed meanwhile");
        assert!(still_agrees(&[], &again).is_ok());
    }

    #[test]
    fn scores_agree_to_a_ten_thousandth_and_failures_alike() {
        let score = |score: f64| CaseOutcome::Score(score.to_bits());
        let scores =
            |scores: &[f64]| CaseOutcome::Scores(scores.iter().map(|s| s.to_bits()).collect());
        let failed = CaseOutcome::Failed;
        assert!(is_same(&score(0.5), &score(0.500_09)));
        assert!(is_same(&score(0.500_09), &score(0.5)));
        assert!(!is_same(&score(0.5), &score(0.500_11)));
        assert!(!is_same(&score(0.5), &score(0.499_89)));
        assert!(is_same(&scores(&[0.2, 0.8]), &scores(&[0.200_05, 0.799_95])));
        assert!(!is_same(&scores(&[0.2, 0.8]), &scores(&[0.2, 0.799])));
        assert!(!is_same(&scores(&[0.2, 0.8]), &scores(&[0.2])));
        // One engine gives a number where the other gives none.
        assert!(!is_same(&score(0.5), &failed(FailureReason::InvalidOutput)));
        let unreadable = failed(FailureReason::InvalidOutput);
        assert!(is_same(&unreadable, &unreadable.clone()));
        assert!(!is_same(&unreadable, &failed(FailureReason::NoReference)));
        assert!(!is_same(&score(f64::NAN), &score(f64::NAN)));
        assert!(!is_same(&score(f64::INFINITY), &score(1.0)));
    }

    #[test]
    fn tensors_agree_number_by_number() {
        let tensor = |values: &[f32]| ModelAnswer::Tensor(values.to_vec());
        let is_same =
            |one: &[f32], other: &[f32]| is_same_answer(Some(&tensor(one)), Some(&tensor(other)));
        assert!(is_same(&[0.5, 800.0], &[0.500_09, 800.07]));
        assert!(!is_same(&[0.5, 0.25], &[0.5, 0.251]));
        assert!(!is_same(&[0.5], &[0.5, 0.5]) && !is_same(&[f32::NAN], &[f32::NAN]));
        // One engine gives what the protocol says where the other does not.
        assert!(is_same_answer(None, None) && !is_same_answer(None, Some(&tensor(&[0.5]))));
    }

    #[test]
    fn large_scores_agree_to_a_ten_thousandth_of_themselves() {
        let score = |score: f64| CaseOutcome::Score(score.to_bits());
        assert!(is_same(&score(800.0), &score(800.002)));
        assert!(is_same(&score(-800.002), &score(-800.0)));
        // 0.08 is a ten-thousandth of 800.
        assert!(is_same(&score(800.0), &score(800.079)));
        assert!(!is_same(&score(800.0), &score(800.081)));
        assert!(!is_same(&score(800.0), &score(-800.0)));
    }
}
