//! The enumerated metrics: no other number about a model's performance has a name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::Name;

/// A metric of a classification, as scripts and reports name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MetricId {
    /// Area under the receiver operating characteristic; clustered by patient where a patient has
    /// several cases.
    Auroc,
    /// The same with DeLong's standard error, as if cases were independent.
    AurocDelong,
    /// Sensitivity at a locked operating point.
    Sensitivity(Name),
    /// Specificity at a locked operating point.
    Specificity(Name),
    /// Brier score.
    Brier,
    /// Observed to expected events.
    OeRatio,
    /// Intercept of the logistic recalibration of outcome on logit score.
    CalibrationIntercept,
    /// Slope of the logistic recalibration of outcome on logit score.
    CalibrationSlope,
    /// Calibration in the large: the intercept with the slope held at 1.
    CalibrationInTheLarge,
    /// Expected calibration error over the protocol's equal-width bins.
    Ece,
    /// Cohen's kappa of grades, weighted by the square of their distance.
    QuadraticKappa,
    /// Mean over classes of the area of each against the rest; of several conditions, over theirs.
    MacroAuroc,
    /// Area of a class against the rest.
    ClassAuroc(Name),
    /// Share of a class's patients who are called it.
    ClassSensitivity(Name),
    /// Share of all other classes' patients who are not called it.
    ClassSpecificity(Name),
    /// Share of patients who are called their own class.
    Accuracy,
    /// Mean over classes of the share of its patients who are called it: each class counts the same.
    BalancedAccuracy,
    /// Mean over patients of how far the prediction is from the reference, in the quantity's unit.
    MeanAbsoluteError,
    /// Mean over patients of prediction minus reference: the bias, in the quantity's unit.
    MeanError,
    /// Below it lies one patient's error in forty: mean error − 1.96 standard deviations.
    LowerLimitOfAgreement,
    /// Above it lies one patient's error in forty: mean error + 1.96 standard deviations.
    UpperLimitOfAgreement,
    /// ICC(2,1) of prediction and reference: absolute agreement of single measurements.
    IntraclassCorrelation,
    /// Share of lesions that are found at the locked cut-off.
    LesionSensitivity(Name),
    /// Findings in no lesion at the locked cut-off, a scan.
    FalsePositivesPerScan(Name),
    /// Mean share of lesions found at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives a scan.
    Cpm,
    /// Area under the precision–recall curve over the scores that a site released.
    AveragePrecision,
    /// Mean over patients of Dice's coefficient, where both masks hold the structure.
    Dice,
    /// Mean over these of the 95th percentile of distances between surfaces, in millimetres.
    Hd95,
    /// Mean over these of the share of surfaces within the tolerance.
    Nsd,
    /// Mean of Dice's coefficient over all patients whose reference standard holds the structure: 0 where the model
    /// missed it.
    DiceMissesZero,
    /// A metric of one of several conditions.
    OfCondition(ConditionMetric, Name),
}

/// What is said of each of several conditions, beside its operating points: what is said of a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionMetric {
    /// [`MetricId::Auroc`].
    Auroc,
    /// [`MetricId::Brier`].
    Brier,
    /// [`MetricId::OeRatio`].
    OeRatio,
    /// [`MetricId::CalibrationIntercept`].
    CalibrationIntercept,
    /// [`MetricId::CalibrationSlope`].
    CalibrationSlope,
    /// [`MetricId::CalibrationInTheLarge`].
    CalibrationInTheLarge,
    /// [`MetricId::Ece`].
    Ece,
}

impl ConditionMetric {
    /// All of them, in the order in which reports show them.
    pub const ALL: [Self; 7] = [
        Self::Auroc,
        Self::Brier,
        Self::OeRatio,
        Self::CalibrationIntercept,
        Self::CalibrationSlope,
        Self::CalibrationInTheLarge,
        Self::Ece,
    ];

    /// The metric of a study of one condition.
    #[must_use]
    pub const fn of_one(self) -> MetricId {
        match self {
            Self::Auroc => MetricId::Auroc,
            Self::Brier => MetricId::Brier,
            Self::OeRatio => MetricId::OeRatio,
            Self::CalibrationIntercept => MetricId::CalibrationIntercept,
            Self::CalibrationSlope => MetricId::CalibrationSlope,
            Self::CalibrationInTheLarge => MetricId::CalibrationInTheLarge,
            Self::Ece => MetricId::Ece,
        }
    }

    fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.of_one().to_string() == text)
    }
}

impl MetricId {
    /// Whether its values lie between 0 and 1, the higher the better.
    #[must_use]
    pub const fn is_share(&self) -> bool {
        matches!(
            self,
            Self::Auroc
                | Self::AurocDelong
                | Self::Sensitivity(_)
                | Self::Specificity(_)
                | Self::MacroAuroc
                | Self::Accuracy
                | Self::BalancedAccuracy
                | Self::ClassAuroc(_)
                | Self::ClassSensitivity(_)
                | Self::ClassSpecificity(_)
                | Self::LesionSensitivity(_)
                | Self::Cpm
                | Self::AveragePrecision
                | Self::Dice
                | Self::DiceMissesZero
                | Self::Nsd
                | Self::OfCondition(ConditionMetric::Auroc, _)
        )
    }

    /// Whether it is of a quantity that is measured.
    #[must_use]
    pub const fn is_of_quantity(&self) -> bool {
        matches!(
            self,
            Self::MeanAbsoluteError
                | Self::MeanError
                | Self::LowerLimitOfAgreement
                | Self::UpperLimitOfAgreement
                | Self::IntraclassCorrelation
        )
    }

    /// Whether it is of masks.
    #[must_use]
    pub const fn is_of_masks(&self) -> bool {
        matches!(self, Self::Dice | Self::DiceMissesZero | Self::Hd95 | Self::Nsd)
    }

    /// Whether it is silent about patients whose structure was missed: a model that misses the hard ones has the better
    /// mean.
    #[must_use]
    pub const fn is_silent_about_misses(&self) -> bool {
        matches!(self, Self::Dice | Self::Hd95 | Self::Nsd)
    }

    /// Whether it is of a task that measures patients.
    #[must_use]
    pub const fn is_of_measures(&self) -> bool {
        self.is_of_quantity() || self.is_of_masks()
    }

    /// Whether its values bear the unit of the quantity.
    #[must_use]
    pub const fn has_unit(&self) -> bool {
        self.is_of_quantity() && !matches!(self, Self::IntraclassCorrelation)
    }

    /// Whether it is about findings with a place.
    #[must_use]
    pub const fn is_of_findings(&self) -> bool {
        matches!(
            self,
            Self::LesionSensitivity(_)
                | Self::FalsePositivesPerScan(_)
                | Self::Cpm
                | Self::AveragePrecision
        )
    }

    /// Whether it is about several conditions: of all, of one, or at one's operating point.
    #[must_use]
    pub const fn is_of_conditions(&self) -> bool {
        matches!(
            self,
            Self::MacroAuroc | Self::OfCondition(..) | Self::Sensitivity(_) | Self::Specificity(_)
        )
    }

    /// Whether it is about several classes.
    #[must_use]
    pub const fn is_of_classes(&self) -> bool {
        matches!(
            self,
            Self::QuadraticKappa
                | Self::MacroAuroc
                | Self::Accuracy
                | Self::BalancedAccuracy
                | Self::ClassAuroc(_)
                | Self::ClassSensitivity(_)
                | Self::ClassSpecificity(_)
        )
    }
}

/// A text names no metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a metric; one of auroc, auroc_delong, sensitivity@NAME, specificity@NAME, brier, oe_ratio, \
     calibration_intercept, calibration_slope, calibration_in_the_large, ece; of several classes \
     quadratic_kappa, macro_auroc, accuracy, balanced_accuracy, class_auroc@NAME, \
     class_sensitivity@NAME, class_specificity@NAME; of a quantity mean_absolute_error, mean_error, \
     lower_limit_of_agreement, upper_limit_of_agreement, intraclass_correlation; of findings \
     lesion_sensitivity@NAME, fp_per_scan@NAME, average_precision, cpm; of masks \
     dice_misses_zero, dice, nsd, hd95; of several conditions macro_auroc, auroc@NAME, brier@NAME, \
     oe_ratio@NAME, calibration_intercept@NAME, calibration_slope@NAME, \
     calibration_in_the_large@NAME, ece@NAME"
)]
pub struct UnknownMetric;

impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auroc => f.write_str("auroc"),
            Self::AurocDelong => f.write_str("auroc_delong"),
            Self::Sensitivity(point) => write!(f, "sensitivity@{point}"),
            Self::Specificity(point) => write!(f, "specificity@{point}"),
            Self::Brier => f.write_str("brier"),
            Self::OeRatio => f.write_str("oe_ratio"),
            Self::CalibrationIntercept => f.write_str("calibration_intercept"),
            Self::CalibrationSlope => f.write_str("calibration_slope"),
            Self::CalibrationInTheLarge => f.write_str("calibration_in_the_large"),
            Self::Ece => f.write_str("ece"),
            Self::QuadraticKappa => f.write_str("quadratic_kappa"),
            Self::MacroAuroc => f.write_str("macro_auroc"),
            Self::ClassAuroc(class) => write!(f, "class_auroc@{class}"),
            Self::ClassSensitivity(class) => write!(f, "class_sensitivity@{class}"),
            Self::ClassSpecificity(class) => write!(f, "class_specificity@{class}"),
            Self::Accuracy => f.write_str("accuracy"),
            Self::BalancedAccuracy => f.write_str("balanced_accuracy"),
            Self::MeanAbsoluteError => f.write_str("mean_absolute_error"),
            Self::MeanError => f.write_str("mean_error"),
            Self::LowerLimitOfAgreement => f.write_str("lower_limit_of_agreement"),
            Self::UpperLimitOfAgreement => f.write_str("upper_limit_of_agreement"),
            Self::IntraclassCorrelation => f.write_str("intraclass_correlation"),
            Self::LesionSensitivity(point) => write!(f, "lesion_sensitivity@{point}"),
            Self::FalsePositivesPerScan(point) => write!(f, "fp_per_scan@{point}"),
            Self::Cpm => f.write_str("cpm"),
            Self::AveragePrecision => f.write_str("average_precision"),
            Self::Dice => f.write_str("dice"),
            Self::DiceMissesZero => f.write_str("dice_misses_zero"),
            Self::Hd95 => f.write_str("hd95"),
            Self::Nsd => f.write_str("nsd"),
            Self::OfCondition(metric, condition) => write!(f, "{}@{condition}", metric.of_one()),
        }
    }
}

impl FromStr for MetricId {
    type Err = UnknownMetric;

    fn from_str(text: &str) -> Result<Self, UnknownMetric> {
        if let Some((metric, point)) = text.split_once('@') {
            let point = point.parse().map_err(|_| UnknownMetric)?;
            return match metric {
                "sensitivity" => Ok(Self::Sensitivity(point)),
                "specificity" => Ok(Self::Specificity(point)),
                "class_auroc" => Ok(Self::ClassAuroc(point)),
                "class_sensitivity" => Ok(Self::ClassSensitivity(point)),
                "class_specificity" => Ok(Self::ClassSpecificity(point)),
                "lesion_sensitivity" => Ok(Self::LesionSensitivity(point)),
                "fp_per_scan" => Ok(Self::FalsePositivesPerScan(point)),
                other => {
                    let metric = ConditionMetric::named(other).ok_or(UnknownMetric)?;
                    Ok(Self::OfCondition(metric, point))
                }
            };
        }
        match text {
            "auroc" => Ok(Self::Auroc),
            "auroc_delong" => Ok(Self::AurocDelong),
            "brier" => Ok(Self::Brier),
            "oe_ratio" => Ok(Self::OeRatio),
            "calibration_intercept" => Ok(Self::CalibrationIntercept),
            "calibration_slope" => Ok(Self::CalibrationSlope),
            "calibration_in_the_large" => Ok(Self::CalibrationInTheLarge),
            "ece" => Ok(Self::Ece),
            "quadratic_kappa" => Ok(Self::QuadraticKappa),
            "macro_auroc" => Ok(Self::MacroAuroc),
            "accuracy" => Ok(Self::Accuracy),
            "balanced_accuracy" => Ok(Self::BalancedAccuracy),
            "mean_absolute_error" => Ok(Self::MeanAbsoluteError),
            "mean_error" => Ok(Self::MeanError),
            "lower_limit_of_agreement" => Ok(Self::LowerLimitOfAgreement),
            "upper_limit_of_agreement" => Ok(Self::UpperLimitOfAgreement),
            "intraclass_correlation" => Ok(Self::IntraclassCorrelation),
            "cpm" => Ok(Self::Cpm),
            "average_precision" => Ok(Self::AveragePrecision),
            "dice" => Ok(Self::Dice),
            "dice_misses_zero" => Ok(Self::DiceMissesZero),
            "hd95" => Ok(Self::Hd95),
            "nsd" => Ok(Self::Nsd),
            _ => Err(UnknownMetric),
        }
    }
}

impl TryFrom<String> for MetricId {
    type Error = UnknownMetric;

    fn try_from(text: String) -> Result<Self, UnknownMetric> {
        text.parse()
    }
}

impl From<MetricId> for String {
    fn from(metric: MetricId) -> Self {
        metric.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_survives_its_text() {
        for text in [
            "auroc",
            "sensitivity@rule-out",
            "specificity@rule-in",
            "oe_ratio",
            "ece",
            "quadratic_kappa",
            "macro_auroc",
            "class_auroc@severe",
            "class_sensitivity@severe",
            "class_specificity@severe",
            "accuracy",
            "mean_absolute_error",
            "mean_error",
            "lower_limit_of_agreement",
            "upper_limit_of_agreement",
            "intraclass_correlation",
            "lesion_sensitivity@call",
            "fp_per_scan@call",
            "cpm",
            "average_precision",
            "dice",
            "dice_misses_zero",
            "hd95",
            "nsd",
            "auroc@effusion",
            "brier@effusion",
            "oe_ratio@effusion",
            "calibration_intercept@effusion",
            "calibration_slope@effusion",
            "calibration_in_the_large@effusion",
            "ece@effusion",
        ] {
            assert_eq!(text.parse::<MetricId>().unwrap().to_string(), text);
        }
        for bad in
            ["kappa", "sensitivity", "sensitivity@", "auroc@", "auroc@X y", "auroc_delong@x", "max"]
        {
            assert!(bad.parse::<MetricId>().is_err(), "{bad} was taken");
        }
    }
}
