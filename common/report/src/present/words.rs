//! The words for what the report names by code.

use fedval_study::protocol::{Combine, EndpointBasis, EndpointDirection, Unit};
use fedval_study::result::FailedStage;
use fedval_study::summary::FailureReason;
use fedval_study::{ConditionMetric, MetricId, SiteStatus, Terms};

use crate::report::{Report, Scale, VerdictResult, WithheldCode};

/// A metric.
pub(super) fn metric(metric: &MetricId) -> String {
    match metric {
        MetricId::Auroc => "AUROC".to_owned(),
        MetricId::AurocDelong => "AUROC, DeLong error".to_owned(),
        MetricId::Sensitivity(point) => format!("Sensitivity at {point}"),
        MetricId::Specificity(point) => format!("Specificity at {point}"),
        MetricId::Brier => "Brier score".to_owned(),
        MetricId::OeRatio => "Observed : expected".to_owned(),
        MetricId::CalibrationIntercept => "Calibration intercept".to_owned(),
        MetricId::CalibrationSlope => "Calibration slope".to_owned(),
        MetricId::CalibrationInTheLarge => "Calibration in the large".to_owned(),
        MetricId::Ece => "Expected calibration error".to_owned(),
        MetricId::QuadraticKappa => "Quadratic weighted kappa".to_owned(),
        MetricId::MacroAuroc => "Macro AUROC".to_owned(),
        MetricId::Accuracy => "Accuracy".to_owned(),
        MetricId::BalancedAccuracy => "Balanced accuracy".to_owned(),
        MetricId::ClassAuroc(class) => format!("AUROC of {class}"),
        MetricId::ClassSensitivity(class) => format!("Sensitivity for {class}"),
        MetricId::ClassSpecificity(class) => format!("Specificity for {class}"),
        MetricId::MeanAbsoluteError => "Mean absolute error".to_owned(),
        MetricId::MeanError => "Mean error (bias)".to_owned(),
        MetricId::LowerLimitOfAgreement => "Lower limit of agreement".to_owned(),
        MetricId::UpperLimitOfAgreement => "Upper limit of agreement".to_owned(),
        MetricId::IntraclassCorrelation => "ICC(2,1)".to_owned(),
        MetricId::LesionSensitivity(point) => format!("Lesion sensitivity at {point}"),
        MetricId::FalsePositivesPerScan(point) => format!("False positives a scan at {point}"),
        MetricId::Cpm => "CPM".to_owned(),
        MetricId::AveragePrecision => "Average precision over released scores".to_owned(),
        MetricId::Dice => "Dice coefficient".to_owned(),
        MetricId::DiceMissesZero => "Dice coefficient, a miss counting 0".to_owned(),
        MetricId::Hd95 => "HD95".to_owned(),
        MetricId::Nsd => "Normalised surface Dice".to_owned(),
        MetricId::OfCondition(of, condition) => {
            format!("{} of {condition}", self::metric(&of.of_one()))
        }
    }
}

/// A metric with the unit of its values behind it, where they have one.
pub(super) fn metric_with_unit(report: &Report, id: &MetricId) -> String {
    match unit_of(report, id) {
        "" => metric(id),
        unit => format!("{}, {unit}", metric(id)),
    }
}

/// What stands behind a number of a metric: a space and the quantity's unit, or nothing.
pub(super) fn unit_behind(report: &Report, id: &MetricId) -> String {
    match unit_of(report, id) {
        "" => String::new(),
        unit => format!("\u{a0}{unit}"),
    }
}

fn unit_of<'r>(report: &'r Report, id: &MetricId) -> &'r str {
    if *id == MetricId::Hd95 {
        return "mm";
    }
    let quantity = report.quantity.as_ref().filter(|_| id.has_unit());
    quantity.map_or("", |quantity| quantity.unit.as_str())
}

/// A metric inside a sentence.
pub(super) fn metric_in_text(id: &MetricId) -> String {
    let word = metric(id);
    let names = ["AUROC", "Brier", "ICC", "CPM", "Dice", "HD95"];
    if names.iter().any(|name| word.starts_with(name)) {
        return word;
    }
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}", first.to_lowercase(), letters.as_str()))
}

/// The value at which a metric says that the model is worthless or perfectly calibrated.
pub(super) const fn reference(metric: &MetricId) -> Option<(f64, &'static str)> {
    match metric {
        MetricId::Auroc
        | MetricId::AurocDelong
        | MetricId::MacroAuroc
        | MetricId::ClassAuroc(_)
        | MetricId::OfCondition(ConditionMetric::Auroc, _) => Some((0.5, "no discrimination")),
        MetricId::QuadraticKappa => Some((0.0, "agreement by chance")),
        MetricId::OeRatio
        | MetricId::CalibrationSlope
        | MetricId::OfCondition(ConditionMetric::OeRatio | ConditionMetric::CalibrationSlope, _) => {
            Some((1.0, "ideal"))
        }
        MetricId::CalibrationIntercept
        | MetricId::CalibrationInTheLarge
        | MetricId::OfCondition(
            ConditionMetric::CalibrationIntercept | ConditionMetric::CalibrationInTheLarge,
            _,
        ) => Some((0.0, "ideal")),
        MetricId::MeanError => Some((0.0, "no bias")),
        MetricId::Sensitivity(_)
        | MetricId::Specificity(_)
        | MetricId::MeanAbsoluteError
        | MetricId::LowerLimitOfAgreement
        | MetricId::UpperLimitOfAgreement
        | MetricId::IntraclassCorrelation
        | MetricId::Dice
        | MetricId::DiceMissesZero
        | MetricId::Hd95
        | MetricId::Nsd
        | MetricId::Brier
        | MetricId::Ece
        | MetricId::Accuracy
        | MetricId::BalancedAccuracy
        | MetricId::ClassSensitivity(_)
        | MetricId::ClassSpecificity(_)
        | MetricId::LesionSensitivity(_)
        | MetricId::FalsePositivesPerScan(_)
        | MetricId::Cpm
        | MetricId::AveragePrecision
        | MetricId::OfCondition(ConditionMetric::Brier | ConditionMetric::Ece, _) => None,
    }
}

/// What came of the round at a site.
pub(super) const fn status(status: SiteStatus) -> &'static str {
    match status {
        SiteStatus::Released => "released",
        SiteStatus::Insufficient => "insufficient: too few patients to release anything",
        SiteStatus::Refused => "refused; the reason stays on site",
        SiteStatus::Failed => "failed: the evaluation did not finish",
        SiteStatus::Missing => "missing: no answer arrived",
    }
}

/// Where an evaluation failed.
pub(super) const fn stage(stage: FailedStage) -> &'static str {
    match stage {
        FailedStage::ModelLoad => "the model could not be loaded",
        FailedStage::DataSource => "the site's data could not be read",
        FailedStage::Evaluation => "the model could not be run on the cases",
    }
}

/// Why a case has no usable result.
pub(super) const fn failure(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Undecodable => "image could not be decoded",
        FailureReason::Unsupported => "image form not supported",
        FailureReason::WrongSize => "image of another size",
        FailureReason::InvalidOutput => "index test gave no valid result",
        FailureReason::NoReference => "reference standard missing",
        FailureReason::Other => "other reasons",
    }
}

/// What one row of every table counts.
pub(super) const fn unit(unit: Unit, combine: Option<Combine>) -> &'static str {
    match (unit, combine) {
        (Unit::Image, _) => "image, with standard errors clustered by patient",
        (Unit::Patient, Some(Combine::Mean)) => "patient, by the mean score of the images",
        (Unit::Patient, Some(Combine::Maximum)) => "patient, by the largest score of the images",
        (Unit::Patient, Some(Combine::First)) => "patient, by the first image",
        (Unit::Patient, None) => "patient",
    }
}

/// The acceptance limit's side.
pub(super) const fn direction(direction: EndpointDirection) -> &'static str {
    match direction {
        EndpointDirection::AtLeast => "at least",
        EndpointDirection::AtMost => "at most",
    }
}

/// The interval that is held against the limit.
pub(super) const fn interval(basis: EndpointBasis) -> &'static str {
    match basis {
        EndpointBasis::PooledMean => "CI",
        EndpointBasis::NewSite => "prediction interval",
    }
}

/// What the endpoint asks about.
pub(super) const fn basis(basis: EndpointBasis) -> &'static str {
    match basis {
        EndpointBasis::PooledMean => "on average across sites",
        EndpointBasis::NewSite => "in a new hospital",
    }
}

/// How one interval lies against the limit.
pub(super) const fn against(result: VerdictResult) -> &'static str {
    match result {
        VerdictResult::Met => "whole interval on the accepted side of the limit",
        VerdictResult::NotMet => "whole interval on the wrong side of the limit",
        VerdictResult::Inconclusive => "interval crosses the limit",
    }
}

/// The analysis scale.
pub(super) const fn scale(scale: Scale) -> &'static str {
    match scale {
        Scale::Logit => "logit",
        Scale::Log => "log",
        Scale::Identity => "identity",
    }
}

/// A method of synthesis.
pub(super) fn method(method: &str) -> String {
    match method {
        "reml_hartung_knapp" => "REML, Hartung–Knapp".to_owned(),
        "reml_modified_hartung_knapp" => "REML, modified Hartung–Knapp".to_owned(),
        "binomial_glmm_ml" => "exact-binomial GLMM".to_owned(),
        "site_bootstrap" => "mean over sites, sites drawn again".to_owned(),
        "paule_mandel_hartung_knapp" => "Paule–Mandel, Hartung–Knapp".to_owned(),
        "dersimonian_laird_hartung_knapp" => "DerSimonian–Laird, Hartung–Knapp".to_owned(),
        other => other.to_owned(),
    }
}

/// The disclosure terms of a site.
pub(super) fn terms(terms: &Terms) -> String {
    let mut words = vec![format!("{} profile", terms.profile.as_str()), format!("k = {}", terms.k)];
    if terms.withheld_responses > 0 {
        words.push(format!("response counts of 1 to {} withheld", terms.withheld_responses));
    }
    if terms.zeros_withheld {
        words.push("response counts of 0 withheld".to_owned());
    }
    if terms.is_rounded() {
        words.push(format!("counts rounded to {}", terms.rounding_base));
    }
    if let Some(rho) = terms.noise_rho_micro {
        words.push(format!("noise, ρ = {}", f64::from(rho) / 1e6));
    }
    words.join(", ")
}

/// Why something is not here. Primary and complementary suppression read alike: which of two cells
/// is the small one is itself disclosive.
pub(super) const fn withheld(code: WithheldCode) -> &'static str {
    match code {
        WithheldCode::S => "too few patients, or it would let a small group be computed",
        WithheldCode::Insufficient => "the whole cohort has too few patients of a class",
        WithheldCode::Refused => "the site's policy, ledger, budget or steward refused",
        WithheldCode::Failed => "the evaluation did not finish",
        WithheldCode::Missing => "no answer arrived in the round",
    }
}

/// So many of a thing: "1 site", "1 200 sites".
pub(super) fn plural(count: u64, thing: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {thing}{s}", super::number::count(count))
}

/// The text with a capital at its beginning.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}
