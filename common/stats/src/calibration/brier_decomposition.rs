//! What a Brier score is made of.

use super::CalibrationBin;
use crate::NotEstimable;
use crate::count::count_to_f64;

/// The parts of a Brier score: `reliability − resolution + uncertainty`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BrierDecomposition {
    /// `Σ nₖ (p̄ₖ − ōₖ)² / n`: 0 where the model is calibrated in every bin.
    pub reliability: f64,
    /// `Σ nₖ (ōₖ − ō)² / n`: how much the bins differ in what happens; more is better.
    pub resolution: f64,
    /// `ō (1 − ō)`: what nobody can help.
    pub uncertainty: f64,
}

impl BrierDecomposition {
    /// The Brier score of a model that gives every case its bin's mean probability; it differs from the
    /// model's own by how much probabilities vary within bins.
    #[must_use]
    pub fn brier_of_bins(&self) -> f64 {
        self.reliability - self.resolution + self.uncertainty
    }
}

/// Murphy's decomposition of the Brier score over bins of probability, on the probability scale. Bins of
/// several sites add up first.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases; [`NotEstimable::InvalidInput`] where a bin has more events
/// than cases or its probabilities are none.
///
/// # References
///
/// - A. H. Murphy (1973). J. Appl. Meteorol. 12, 595–600.
/// - D. B. Stephenson, C. A. S. Coelho, I. T. Jolliffe (2008). Weather Forecast. 23, 752–757 (within bins).
///
/// # Examples
///
/// ```
/// use fedval_stats::calibration::{bin_table, brier_decomposition};
///
/// let rows = [(0.25, false), (0.25, true), (0.75, true), (0.75, true)];
/// let parts = brier_decomposition(&bin_table(&rows, 2)?)?;
/// // Both bins are off by a quarter; they differ from the mean of ¾ by a quarter too.
/// assert!((parts.reliability - 0.0625).abs() < 1e-15);
/// assert!((parts.resolution - 0.0625).abs() < 1e-15);
/// assert!((parts.uncertainty - 0.1875).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn brier_decomposition(bins: &[CalibrationBin]) -> Result<BrierDecomposition, NotEstimable> {
    let is_bin = |bin: &CalibrationBin| {
        bin.events <= bin.n && (0.0..=count_to_f64(bin.n)).contains(&bin.sum_p)
    };
    if !bins.iter().all(is_bin) {
        return Err(NotEstimable::InvalidInput);
    }
    let total = |part: fn(&CalibrationBin) -> u64| {
        bins.iter().fold(0.0, |sum, bin| sum + count_to_f64(part(bin)))
    };
    let (n, events) = (total(|bin| bin.n), total(|bin| bin.events));
    if n <= 0.0 {
        return Err(NotEstimable::EmptyInput);
    }
    let rate = events / n;
    let filled = bins.iter().filter(|bin| bin.n > 0);
    let sum = |term: &dyn Fn(f64, f64) -> f64| {
        filled.clone().fold(0.0, |sum, bin| {
            let cases = count_to_f64(bin.n);
            let difference = term(bin.sum_p / cases, count_to_f64(bin.events) / cases);
            sum + cases * difference * difference
        }) / n
    };
    Ok(BrierDecomposition {
        reliability: sum(&|p, o| p - o),
        resolution: sum(&|_, o| o - rate),
        uncertainty: rate * (1.0 - rate),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{bin_table, brier_score};

    #[test]
    fn without_spread_in_the_bins_the_parts_are_the_score() {
        let rows: Vec<(f64, bool)> =
            (0..60).map(|i| (f64::from(i % 5) / 4.0, i % 3 == 0)).collect();
        let parts = brier_decomposition(&bin_table(&rows, 10).unwrap()).unwrap();
        assert!((parts.brier_of_bins() - brier_score(&rows).unwrap()).abs() < 1e-15);
    }

    #[test]
    fn impossible_bins_are_refused() {
        let bin = |n, sum_p, events| CalibrationBin { n, sum_p, events };
        assert_eq!(brier_decomposition(&[]), Err(NotEstimable::EmptyInput));
        for odd in [bin(1, 0.5, 2), bin(1, 1.5, 1), bin(1, f64::NAN, 1)] {
            assert_eq!(brier_decomposition(&[odd]), Err(NotEstimable::InvalidInput));
        }
    }
}
