//! The exponentially weighted moving average.

use super::{Baseline, all_finite, first_signal};
use crate::NotEstimable;
use crate::count::len_to_f64;

/// The average with its limits, in the unit of the series.
#[derive(Debug, Clone, PartialEq)]
pub struct Ewma {
    /// After each round, the average.
    pub average: Vec<f64>,
    /// Its lower limit there.
    pub lower: Vec<f64>,
    /// Its upper limit there.
    pub upper: Vec<f64>,
    /// The first round at which the average lies outside.
    pub first_signal: Option<usize>,
}

/// The EWMA `E ← λx + (1 − λ)E`, from the centre, with limits of exact width
/// `L sd √(λ/(2 − λ) · (1 − (1 − λ)^{2i}))` after round i. λ = 0.2 and L = 3 are usual.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number is not finite, unless `0 < lambda <= 1`, or where
/// `width` is negative.
///
/// # References
///
/// - S. W. Roberts (1959). Technometrics 1, 239–250.
/// - D. C. Montgomery (2013). Introduction to Statistical Quality Control, 7th ed., eq. 9.25 and 9.26.
///
/// # Examples
///
/// ```
/// use fedval_stats::control_chart::{Baseline, ewma};
///
/// let chart = ewma(&[0.85, 0.75, 0.74], &Baseline::new(0.85, 0.02)?, 0.2, 3.0)?;
/// assert_eq!(chart.first_signal, Some(2));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn ewma(
    series: &[f64],
    baseline: &Baseline,
    lambda: f64,
    width: f64,
) -> Result<Ewma, NotEstimable> {
    let is_usable = lambda > 0.0 && lambda <= 1.0 && width.is_finite() && width >= 0.0;
    if !is_usable || series.iter().any(|x| !x.is_finite()) {
        return Err(NotEstimable::InvalidInput);
    }
    let mut current = baseline.centre;
    let average: Vec<f64> = series
        .iter()
        .map(|x| {
            current = lambda * x + (1.0 - lambda) * current;
            current
        })
        .collect();
    let half_widths: Vec<f64> = (1..=series.len())
        .map(|round| {
            let faded = libm::pow(1.0 - lambda, 2.0 * len_to_f64(round));
            width * baseline.sd * libm::sqrt(lambda / (2.0 - lambda) * (1.0 - faded))
        })
        .collect();
    let outside = |(average, half): (&f64, &f64)| {
        *average < baseline.centre - half || *average > baseline.centre + half
    };
    let chart = Ewma {
        first_signal: first_signal(average.iter().zip(&half_widths).map(outside)),
        lower: half_widths.iter().map(|half| baseline.centre - half).collect(),
        upper: half_widths.iter().map(|half| baseline.centre + half).collect(),
        average,
    };
    all_finite(chart.average.iter().chain(&chart.lower).chain(&chart.upper))?;
    Ok(chart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_one_is_the_series_itself() {
        let chart = ewma(&[1.0, -2.0], &Baseline::new(0.0, 1.0).unwrap(), 1.0, 3.0).unwrap();
        assert!((chart.average[1] + 2.0).abs() < 1e-15 && (chart.upper[1] - 3.0).abs() < 1e-15);
        assert_eq!(chart.first_signal, None);
    }

    #[test]
    fn other_weights_and_numbers_are_refused() {
        let baseline = Baseline::new(0.0, 1.0).unwrap();
        for lambda in [0.0, 1.1, f64::NAN] {
            assert_eq!(ewma(&[1.0], &baseline, lambda, 3.0), Err(NotEstimable::InvalidInput));
        }
        assert_eq!(ewma(&[f64::NAN], &baseline, 0.2, 3.0), Err(NotEstimable::InvalidInput));
    }
}
