//! A horizontal axis for values of one metric.

use super::number::{Format, fixed};
use crate::report::Scale;

/// Distances between ticks, from which the smallest with at most six intervals is taken.
const STEPS: [f64; 19] = [
    0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0,
    500.0, 1000.0, 10000.0,
];
/// Places of ticks on a logarithmic axis.
const LOG_TICKS: [f64; 15] =
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1.0, 1.25, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

/// An axis from the left to the right end of a plot.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    left: f64,
    right: f64,
    ticks: Vec<f64>,
    decimals: usize,
}

impl Axis {
    /// An axis that holds `values` on a metric of `scale`.
    pub(super) fn holding(values: &[f64], scale: Scale, [left, right]: [f64; 2]) -> Self {
        let (low, high) = values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        match scale {
            Scale::Log => Self::logarithmic(low, high, left, right),
            Scale::Logit => Self::linear(low, high, left, right, Some([0.0, 1.0])),
            Scale::Identity => Self::linear(low, high, left, right, None),
        }
    }

    fn linear(low: f64, high: f64, left: f64, right: f64, bounds: Option<[f64; 2]>) -> Self {
        let span = (high - low).max(0.02);
        let step = STEPS.into_iter().find(|step| span / step <= 6.0).unwrap_or(span / 5.0);
        let mut low = (low / step).floor() * step;
        let mut high = (high / step).ceil() * step;
        if let Some([least, most]) = bounds {
            (low, high) = (low.max(least), high.min(most));
        }
        if high - low < step {
            (low, high) = (low - step, high + step);
        }
        let ticks = (0_u8..9)
            .map(|index| low + f64::from(index) * step)
            .take_while(|tick| *tick <= high + step / 1e3)
            .collect();
        let decimals = decimals(step);
        Self { scale: Scale::Identity, low, high, left, right, ticks, decimals }
    }

    fn logarithmic(low: f64, high: f64, left: f64, right: f64) -> Self {
        let (low, high) = (low.clamp(0.005, 200.0), high.clamp(0.005, 200.0));
        let (low, high) = (low / 1.1, (high * 1.1).max(low * 1.2));
        let inside = LOG_TICKS.into_iter().filter(|tick| (low..=high).contains(tick));
        Self { scale: Scale::Log, low, high, left, right, ticks: inside.collect(), decimals: 2 }
    }

    /// The place of `value`, at the axis' end where it lies beyond.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let image = |value: f64| self.scale.forward(value).unwrap_or(0.0);
        let (low, high) = (image(self.low), image(self.high));
        let share = (image(value) - low) / (high - low);
        self.left + share * (self.right - self.left)
    }

    /// Whether `value` lies on the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Ticks: place and label, in the unit of `format`.
    pub(super) fn ticks(&self, format: Format) -> Vec<(f64, String)> {
        let label = |tick: f64| match format {
            Format::Percent => format!("{}%", fixed(tick * 100.0, self.decimals.saturating_sub(2))),
            Format::Fixed(_) | Format::Quantity => fixed(tick, self.decimals),
        };
        self.ticks.iter().map(|tick| (self.at(*tick), label(*tick))).collect()
    }

    /// Both ends of the axis.
    pub(super) const fn ends(&self) -> [f64; 2] {
        [self.left, self.right]
    }
}

/// Decimals that tell ticks `step` apart.
fn decimals(step: f64) -> usize {
    if step >= 1.0 {
        0
    } else if step < 0.01 {
        3
    } else if step < 0.1 || step > 0.2 && step < 0.5 {
        2
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_never_leaves_its_bounds_and_ticks_are_round() {
        let axis = Axis::holding(&[0.026, 0.9994], Scale::Logit, [0.0, 100.0]);
        let labels: Vec<_> =
            axis.ticks(Format::Fixed(3)).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(axis.ticks(Format::Percent)[1].1, "20%");
        assert!((axis.at(0.5) - 50.0).abs() < 1e-9);
        assert!((axis.at(7.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_ratio_and_its_inverse_lie_at_equal_distances_from_one() {
        let axis = Axis::holding(&[0.5, 2.0], Scale::Log, [0.0, 100.0]);
        let (half, one, two) = (axis.at(0.5), axis.at(1.0), axis.at(2.0));
        assert!(((one - half) - (two - one)).abs() < 1e-9);
    }

    #[test]
    fn nothing_and_one_point_still_make_an_axis() {
        for values in [&[][..], &[0.7], &[f64::NAN]] {
            let axis = Axis::holding(values, Scale::Identity, [0.0, 10.0]);
            assert!(axis.at(0.7).is_finite() && axis.ticks(Format::Percent).len() >= 2);
        }
    }
}
