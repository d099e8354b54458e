//! The expected calibration error over bins of equal width.
//!
//! Probability p of B bins falls into bin ⌊pB⌋, and p = 1 into the last. ECE weighs the gap
//! between mean outcome and mean probability by the bin's share of the cases; MCE is the largest
//! gap and is for use at the site only, since a maximum may point at single patients.
//!
//! # References
//!
//! - M. P. Naeini, G. Cooper, M. Hauskrecht (2015). AAAI, 2901–2907.

use super::{outcome, require_probabilities};
use crate::NotEstimable;
use crate::count::{count_to_f64, len_to_f64};

/// The cases whose probabilities fall into one bin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CalibrationBin {
    /// Cases.
    pub n: u64,
    /// Sum of the probabilities.
    pub sum_p: f64,
    /// Events.
    pub events: u64,
}

impl CalibrationBin {
    /// |mean outcome − mean probability|, or `None` for an empty bin.
    #[must_use]
    pub fn gap(&self) -> Option<f64> {
        let n = count_to_f64(self.n);
        (self.n > 0).then(|| (count_to_f64(self.events) / n - self.sum_p / n).abs())
    }
}

/// The table of `bins` equal-width bins over [0, 1].
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases or bins, [`NotEstimable::InvalidInput`] for a number
/// that is no probability.
///
/// # Examples
///
/// ```
/// let rows = [(0.1, false), (0.2, false), (0.9, true), (0.8, false)];
/// let table = fedval_stats::calibration::bin_table(&rows, 2)?;
/// assert_eq!((table[1].n, table[1].events), (2, 1));
/// assert!((table[1].sum_p - 1.7).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn bin_table(rows: &[(f64, bool)], bins: usize) -> Result<Vec<CalibrationBin>, NotEstimable> {
    require_probabilities(rows)?;
    if bins == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    let mut table = vec![CalibrationBin::default(); bins];
    for &(p, event) in rows {
        if let Some(bin) = table.get_mut(index(p, bins)) {
            bin.n += 1;
            bin.sum_p += p;
            bin.events += u64::from(event);
        }
    }
    Ok(table)
}

/// The expected calibration error, on the probability scale.
///
/// # Errors
///
/// Those of [`bin_table`].
///
/// # Examples
///
/// ```
/// let rows = [(0.1, false), (0.2, false), (0.9, true), (0.8, false)];
/// let ece = fedval_stats::calibration::ece(&rows, 2)?;
/// assert!((ece - (0.5 * 0.15 + 0.5 * 0.35)).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn ece(rows: &[(f64, bool)], bins: usize) -> Result<f64, NotEstimable> {
    let n = len_to_f64(rows.len());
    Ok(bin_table(rows, bins)?
        .iter()
        .filter_map(|bin| bin.gap().map(|gap| count_to_f64(bin.n) / n * gap))
        .fold(0.0, |sum, part| sum + part))
}

/// The maximum calibration error, on the probability scale.
///
/// # Errors
///
/// Those of [`bin_table`].
///
/// # Examples
///
/// ```
/// // The gaps are 0.15 − 0 and 0.85 − 0.5.
/// let rows = [(0.1, false), (0.2, false), (0.9, true), (0.8, false)];
/// let mce = fedval_stats::calibration::mce(&rows, 2)?;
/// assert!((mce - 0.35).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn mce(rows: &[(f64, bool)], bins: usize) -> Result<f64, NotEstimable> {
    Ok(bin_table(rows, bins)?.iter().filter_map(CalibrationBin::gap).fold(0.0, f64::max))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "p lies in [0, 1], so the product lies in 0..=bins"
)]
fn index(p: f64, bins: usize) -> usize {
    ((p * len_to_f64(bins)) as usize).min(bins - 1)
}

/// The mean outcome, which scaled measures are relative to.
pub(super) fn event_rate(rows: &[(f64, bool)]) -> f64 {
    rows.iter().fold(0.0, |sum, &(_, event)| sum + outcome(event)) / len_to_f64(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_of_one_falls_into_the_last_bin() {
        let table = bin_table(&[(1.0, true), (0.0, false), (0.5, true)], 2).unwrap();
        assert_eq!((table[0].n, table[1].n, table[1].events), (1, 2, 2));
    }

    #[test]
    fn nothing_and_nonsense_are_refused() {
        assert_eq!(ece(&[], 10), Err(NotEstimable::EmptyInput));
        assert_eq!(ece(&[(0.5, true)], 0), Err(NotEstimable::EmptyInput));
        assert_eq!(mce(&[(1.5, true)], 10), Err(NotEstimable::InvalidInput));
    }
}
