//! What the numbers on the page mean, for who does not work with them.

use fedval_study::{ConditionMetric, MetricId};

use crate::report::Report;

/// Metrics that are explained.
const TOLD: usize = 3;

const AUROC: &str = "AUROC is how often the model scores a case that has the condition higher than one that does not: \
                     0.5 is guessing, 1 is never wrong.";
const MACRO_AREA: &str = "Macro AUROC is the average of AUROC over classes or conditions, where AUROC is how often the \
                          model scores a case that has it higher than one that does not: 0.5 is guessing, 1 is never \
                          wrong.";
const SENSITIVITY: &str =
    "Sensitivity is the share of cases with the condition that the model calls positive.";
const SPECIFICITY: &str =
    "Specificity is the share of cases without the condition that the model calls negative.";
const BRIER: &str = "The Brier score is how far the model's probabilities are from the truth, squared and averaged: 0 \
                     is perfect.";
const OBSERVED: &str = "Observed : expected is how many cases had the condition for each that the model expected: 1 is \
                        ideal.";
const INTERCEPT: &str = "The calibration intercept is how far the model is off, on the logit scale, where it gives a \
                         probability of one half: 0 is ideal.";
const SLOPE: &str = "The calibration slope is below 1 where the model's probabilities are too extreme, and above 1 \
                     where they are too timid.";
const IN_THE_LARGE: &str = "Calibration in the large is above 0 where the model's probabilities are too low on the \
                            whole, and below 0 where they are too high.";
const CALIBRATION_ERROR: &str = "The expected calibration error is how far the model's probabilities are on average \
                                 from the shares that had the condition: 0 is ideal.";
const KAPPA: &str = "Quadratic weighted kappa is agreement beyond chance, where a miss by two grades weighs four times \
                     as much as one by a single grade: 0 is chance, 1 is perfect.";
const ACCURACY: &str = "Accuracy is the share of patients whom the model calls their own class.";
const BALANCED: &str = "Balanced accuracy is the average over classes of the share of patients whom the model calls \
                        their own class: each class counts the same.";
const CLASS_SENSITIVITY: &str =
    "Sensitivity for a class is the share of its patients whom the model calls it.";
const CLASS_SPECIFICITY: &str =
    "Specificity for a class is the share of all other patients whom the model does not call it.";
const ABSOLUTE_ERROR: &str =
    "The mean absolute error is how far the model is off on average, in either direction.";
const ERROR: &str =
    "The mean error is how much too high (above 0) or too low (below 0) the model is on average.";
const AGREEMENT: &str = "Between the lower and the upper limit of agreement lie the model's errors in about 95 of 100 \
                         patients.";
const CORRELATION: &str =
    "ICC(2,1) is how closely model and reference standard agree on single patients: 1 is perfect.";
const LESIONS: &str =
    "Lesion sensitivity is the share of lesions that the model finds at its cut-off.";
const FALSE_FINDINGS: &str = "False positives a scan are findings of the model that lie in no lesion, on average over \
                              scans.";
const CPM: &str = "CPM is the average share of lesions that the model finds where it may be wrong 1/8 to 8 times a \
                   scan: 1 is perfect.";
const PRECISION: &str = "Average precision is the share of findings that lie in a lesion, averaged over the lesions \
                         found: 1 is perfect.";
const OVERLAP: &str = "The Dice coefficient is how far the outlines of model and reference standard overlap: 0 is not \
                       at all, 1 is wholly.";
const DISTANCE: &str = "HD95 is how far the outlines of model and reference standard lie apart, leaving out the \
                        farthest 5 of 100 points.";
const SURFACE: &str = "Normalised surface Dice is the share of both outlines that lies within the tolerance of the \
                       other: 1 is perfect.";

/// A sentence on each of the first metrics that endpoints ask about.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let mut meanings: Vec<&str> = Vec::new();
    for meaning in report.verdicts.iter().map(|verdict| of(&verdict.metric)) {
        if !meanings.contains(&meaning) {
            meanings.push(meaning);
        }
    }
    meanings.into_iter().take(TOLD).map(str::to_owned).collect()
}

const fn of(metric: &MetricId) -> &'static str {
    match metric {
        MetricId::Auroc | MetricId::AurocDelong | MetricId::ClassAuroc(_) => AUROC,
        MetricId::MacroAuroc => MACRO_AREA,
        MetricId::Sensitivity(_) => SENSITIVITY,
        MetricId::Specificity(_) => SPECIFICITY,
        MetricId::Brier => BRIER,
        MetricId::OeRatio => OBSERVED,
        MetricId::CalibrationIntercept => INTERCEPT,
        MetricId::CalibrationSlope => SLOPE,
        MetricId::CalibrationInTheLarge => IN_THE_LARGE,
        MetricId::Ece => CALIBRATION_ERROR,
        MetricId::QuadraticKappa => KAPPA,
        MetricId::Accuracy => ACCURACY,
        MetricId::BalancedAccuracy => BALANCED,
        MetricId::ClassSensitivity(_) => CLASS_SENSITIVITY,
        MetricId::ClassSpecificity(_) => CLASS_SPECIFICITY,
        MetricId::MeanAbsoluteError => ABSOLUTE_ERROR,
        MetricId::MeanError => ERROR,
        MetricId::LowerLimitOfAgreement | MetricId::UpperLimitOfAgreement => AGREEMENT,
        MetricId::IntraclassCorrelation => CORRELATION,
        MetricId::LesionSensitivity(_) => LESIONS,
        MetricId::FalsePositivesPerScan(_) => FALSE_FINDINGS,
        MetricId::Cpm => CPM,
        MetricId::AveragePrecision => PRECISION,
        MetricId::Dice | MetricId::DiceMissesZero => OVERLAP,
        MetricId::Hd95 => DISTANCE,
        MetricId::Nsd => SURFACE,
        MetricId::OfCondition(of, _) => of_condition(*of),
    }
}

const fn of_condition(metric: ConditionMetric) -> &'static str {
    match metric {
        ConditionMetric::Auroc => AUROC,
        ConditionMetric::Brier => BRIER,
        ConditionMetric::OeRatio => OBSERVED,
        ConditionMetric::CalibrationIntercept => INTERCEPT,
        ConditionMetric::CalibrationSlope => SLOPE,
        ConditionMetric::CalibrationInTheLarge => IN_THE_LARGE,
        ConditionMetric::Ece => CALIBRATION_ERROR,
    }
}
