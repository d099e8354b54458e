//! Numbers as a journal prints them.

use fedval_study::{ConditionMetric, MetricId};

/// Decimals and unit in which a metric is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A fraction as a percentage with one decimal.
    Percent,
    /// A number with this many decimals.
    Fixed(usize),
    /// A quantity, with as many decimals as its size asks for; its unit stands beside it.
    Quantity,
}

impl Format {
    /// The format of a metric.
    pub(super) const fn of(metric: &MetricId) -> Self {
        match metric {
            MetricId::Sensitivity(_)
            | MetricId::Specificity(_)
            | MetricId::Accuracy
            | MetricId::BalancedAccuracy
            | MetricId::ClassSensitivity(_)
            | MetricId::ClassSpecificity(_)
            | MetricId::LesionSensitivity(_) => Self::Percent,
            MetricId::Auroc
            | MetricId::AurocDelong
            | MetricId::Brier
            | MetricId::Ece
            | MetricId::QuadraticKappa
            | MetricId::MacroAuroc
            | MetricId::ClassAuroc(_)
            | MetricId::IntraclassCorrelation
            | MetricId::Cpm
            | MetricId::AveragePrecision
            | MetricId::Dice
            | MetricId::DiceMissesZero
            | MetricId::Nsd
            | MetricId::OfCondition(
                ConditionMetric::Auroc | ConditionMetric::Brier | ConditionMetric::Ece,
                _,
            ) => Self::Fixed(3),
            MetricId::MeanAbsoluteError
            | MetricId::MeanError
            | MetricId::LowerLimitOfAgreement
            | MetricId::UpperLimitOfAgreement
            | MetricId::Hd95 => Self::Quantity,
            MetricId::OeRatio
            | MetricId::CalibrationIntercept
            | MetricId::CalibrationSlope
            | MetricId::CalibrationInTheLarge
            | MetricId::FalsePositivesPerScan(_)
            | MetricId::OfCondition(
                ConditionMetric::OeRatio
                | ConditionMetric::CalibrationIntercept
                | ConditionMetric::CalibrationSlope
                | ConditionMetric::CalibrationInTheLarge,
                _,
            ) => Self::Fixed(2),
        }
    }

    /// A value with its unit.
    pub(super) fn value(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{}%", self.bare(value)),
            Self::Fixed(_) | Self::Quantity => self.bare(value),
        }
    }

    /// A pair of limits with its unit.
    pub(super) fn limits(self, [lower, upper]: [f64; 2]) -> String {
        let unit = if self == Self::Percent { "%" } else { "" };
        format!("{}{unit}", self.bare_limits([lower, upper]))
    }

    /// A pair of limits without its unit, as it stands in brackets behind the value.
    pub(super) fn bare_limits(self, [lower, upper]: [f64; 2]) -> String {
        // A dash before a minus sign cannot be read.
        let between = if lower < 0.0 { " to " } else { "–" };
        // Both ends with the decimals of the larger.
        let decimals = decimals_of(lower.abs().max(upper.abs()));
        let end = |value: f64| match self {
            Self::Quantity => fixed(value, decimals),
            Self::Percent | Self::Fixed(_) => self.bare(value),
        };
        format!("{}{between}{}", end(lower), end(upper))
    }

    /// A pair of limits inside a sentence.
    pub(super) fn between(self, [lower, upper]: [f64; 2]) -> String {
        format!("{} and {}", self.value(lower), self.value(upper))
    }

    fn bare(self, value: f64) -> String {
        match self {
            Self::Percent => fixed(value * 100.0, 1),
            Self::Fixed(decimals) => fixed(value, decimals),
            Self::Quantity => fixed(value, decimals_of(value.abs())),
        }
    }
}

/// Decimals that leave about three figures of a quantity of this size.
fn decimals_of(size: f64) -> usize {
    if size >= 1000.0 {
        0
    } else if size >= 100.0 {
        1
    } else if size >= 1.0 || size <= 0.0 {
        2
    } else if size >= 0.1 {
        3
    } else if size >= 0.01 {
        4
    } else {
        6
    }
}

/// A number with `decimals` decimals and a true minus sign, never a negative zero.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let magnitude = format!("{:.decimals$}", value.abs());
    let is_zero = magnitude.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value < 0.0 && !is_zero { format!("−{magnitude}") } else { magnitude }
}

/// A probability of an event, without pretending certainty.
pub(super) fn probability(p: f64) -> String {
    if p < 0.01 {
        "less than 1%".to_owned()
    } else if p > 0.99 {
        "more than 99%".to_owned()
    } else {
        format!("{}%", fixed(p * 100.0, 0))
    }
}

/// A p-value.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { fixed(p, 3) }
}

/// A count, in groups of three digits.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A confidence level as a percentage, without superfluous decimals.
pub(super) fn level(level: f64) -> String {
    let text = fixed(level * 100.0, 2);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A limit as the protocol states it: as few decimals as it has.
pub(super) fn limit(metric: &MetricId, limit: f64) -> String {
    match Format::of(metric) {
        Format::Percent => level(limit),
        Format::Fixed(_) | Format::Quantity => {
            let text = fixed(limit, 6);
            let short = text.trim_end_matches('0');
            let short = short.strip_suffix('.').unwrap_or(short);
            // 0.8 reads as a limit where 0.80 stands beside it.
            match short.split_once('.') {
                Some((_, decimals)) if decimals.len() >= 2 => short.to_owned(),
                Some(_) => format!("{short}0"),
                None => format!("{short}.00"),
            }
        }
    }
}

/// A share as a whole percentage.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "—".to_owned();
    }
    // Integer arithmetic, rounded half up: counts are below 2^53.
    let percent = (u128::from(part) * 200 + u128::from(whole)) / (2 * u128::from(whole));
    format!("{percent}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_in_a_journal() {
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(-1.5, 1), "−1.5");
        assert_eq!(Format::Percent.value(0.8312), "83.1%");
        assert_eq!(Format::Fixed(2).limits([-0.5, 0.25]), "−0.50 to 0.25");
        assert_eq!(Format::Percent.limits([0.5, 0.75]), "50.0–75.0%");
        assert_eq!(
            (count(1234), count(1_234_567)),
            ("1234".into(), "1\u{202f}234\u{202f}567".into())
        );
        assert_eq!((level(0.95), level(0.975)), ("95%".into(), "97.5%".into()));
        assert_eq!((share(1, 3), share(0, 0)), ("33%".into(), "—".into()));
        assert_eq!(limit(&MetricId::Auroc, 0.8), "0.80");
        assert_eq!(limit(&MetricId::OeRatio, 1.0), "1.00");
        assert_eq!(limit(&MetricId::MeanAbsoluteError, 12.5), "12.50");
        assert_eq!(Format::Quantity.value(-12.345), "−12.35");
        assert_eq!(Format::Quantity.value(1234.5), "1234");
        assert_eq!(Format::Quantity.limits([-0.5, 123.25]), "−0.5 to 123.2");
        assert_eq!(Format::Quantity.value(0.0042), "0.004200");
    }

    #[test]
    fn a_probability_never_reads_as_certain() {
        assert_eq!(probability(0.0), "less than 1%");
        assert_eq!(probability(1.0), "more than 99%");
        assert_eq!(probability(0.736), "74%");
    }
}
