//! The scale on which sites are synthesised.

use fedval_stats::scale::{expit, logit};
use fedval_study::{ConditionMetric, MetricId};
use serde::{Deserialize, Serialize};

/// The scale on which a metric's estimates are closest to normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Log-odds: areas and proportions.
    Logit,
    /// Natural logarithm: ratios.
    Log,
    /// The metric's own scale.
    Identity,
}

impl Scale {
    /// The scale as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::Log => "log",
            Self::Identity => "identity",
        }
    }

    /// The scale of `metric`.
    #[must_use]
    pub const fn of(metric: &MetricId) -> Self {
        match metric {
            MetricId::Auroc
            | MetricId::AurocDelong
            | MetricId::Sensitivity(_)
            | MetricId::Specificity(_)
            | MetricId::MacroAuroc
            | MetricId::Accuracy
            | MetricId::BalancedAccuracy
            | MetricId::ClassAuroc(_)
            | MetricId::ClassSensitivity(_)
            | MetricId::ClassSpecificity(_)
            | MetricId::LesionSensitivity(_)
            | MetricId::Cpm
            | MetricId::AveragePrecision
            | MetricId::OfCondition(ConditionMetric::Auroc, _) => Self::Logit,
            MetricId::OfCondition(ConditionMetric::OeRatio, _)
            | MetricId::OeRatio
            | MetricId::FalsePositivesPerScan(_) => Self::Log,
            MetricId::Brier
            | MetricId::CalibrationIntercept
            | MetricId::CalibrationSlope
            | MetricId::CalibrationInTheLarge
            | MetricId::Ece
            | MetricId::QuadraticKappa
            | MetricId::MeanAbsoluteError
            | MetricId::MeanError
            | MetricId::LowerLimitOfAgreement
            | MetricId::UpperLimitOfAgreement
            | MetricId::IntraclassCorrelation
            | MetricId::Dice
            | MetricId::DiceMissesZero
            | MetricId::Hd95
            | MetricId::Nsd
            | MetricId::OfCondition(
                ConditionMetric::Brier
                | ConditionMetric::CalibrationIntercept
                | ConditionMetric::CalibrationSlope
                | ConditionMetric::CalibrationInTheLarge
                | ConditionMetric::Ece,
                _,
            ) => Self::Identity,
        }
    }

    /// A value of the metric on this scale; `None` where it has no finite image.
    pub(crate) fn forward(self, value: f64) -> Option<f64> {
        match self {
            Self::Logit => (value > 0.0 && value < 1.0).then(|| logit(value)),
            // A logarithm is the logit of x / (1 + x): odds x belong to that probability.
            Self::Log => (value > 0.0).then(|| logit(value / (1.0 + value))),
            Self::Identity => Some(value),
        }
        .filter(|image| image.is_finite())
    }

    /// A number on this scale as a value of the metric.
    pub(crate) fn back(self, number: f64) -> f64 {
        match self {
            Self::Logit => expit(number),
            // Odds p / (1 − p) of the log-odds; expit(−x) is 1 − expit(x) without cancellation.
            Self::Log => expit(number) / expit(-number),
            Self::Identity => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_its_scale() {
        for (scale, values) in [
            (Scale::Logit, [0.001, 0.5, 0.97]),
            (Scale::Log, [0.02, 1.0, 37.0]),
            (Scale::Identity, [-2.0, 0.0, 5.0]),
        ] {
            for value in values {
                let back = scale.back(scale.forward(value).unwrap());
                assert!((back - value).abs() < 1e-12 * value.abs().max(1.0), "{value}");
            }
        }
        assert_eq!(Scale::Logit.forward(1.0), None);
        assert_eq!(Scale::Log.forward(0.0), None);
    }
}
