//! Counts of values between fixed edges, and quantiles from them.

use crate::NotEstimable;
use crate::count::{count_to_f64, finite};

/// Edges of bins: at least two, finite, rising.
#[derive(Debug, Clone, PartialEq)]
pub struct Edges(Vec<f64>);

impl Edges {
    /// Accepts rising numbers.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] for anything else.
    pub fn new(edges: Vec<f64>) -> Result<Self, NotEstimable> {
        let rises = edges.windows(2).all(|pair| pair[0] < pair[1]);
        let is_finite = edges.iter().all(|edge| edge.is_finite())
            && edges.first().zip(edges.last()).is_some_and(|(a, b)| (b - a).is_finite());
        if edges.len() >= 2 && rises && is_finite {
            Ok(Self(edges))
        } else {
            Err(NotEstimable::InvalidInput)
        }
    }

    /// The edges.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// Bins between them.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.0.len() - 1
    }

    /// The bin of a value: `[e_i, e_{i+1})`, the last one closed. `None` outside.
    #[must_use]
    pub fn bin_of(&self, value: f64) -> Option<usize> {
        let (first, last) = (self.0[0], self.0[self.bins()]);
        if !(first..=last).contains(&value) {
            return None;
        }
        let above = self.0.partition_point(|edge| *edge <= value);
        Some((above - 1).min(self.bins() - 1))
    }

    /// The widest bin.
    #[must_use]
    pub fn widest(&self) -> f64 {
        self.0.windows(2).fold(0.0, |widest: f64, pair| widest.max(pair[1] - pair[0]))
    }
}

/// Counts of values in bins. Merging adds; quantiles are known to the width of a bin.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    edges: Edges,
    counts: Vec<u64>,
}

impl Histogram {
    /// Counts the values that lie between the edges; the others are left out.
    #[must_use]
    pub fn of(edges: Edges, values: impl IntoIterator<Item = f64>) -> Self {
        let mut counts = vec![0; edges.bins()];
        for bin in values.into_iter().filter_map(|value| edges.bin_of(value)) {
            counts[bin] += 1;
        }
        Self { edges, counts }
    }

    /// Counts in each bin.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The counts of two disjoint sets of values together (saturating).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where the edges differ.
    pub fn merge(mut self, other: &Self) -> Result<Self, NotEstimable> {
        if self.edges != other.edges {
            return Err(NotEstimable::InvalidInput);
        }
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum = sum.saturating_add(*count);
        }
        Ok(self)
    }

    /// The middle of the bin that holds the order statistic at rank `⌈q n⌉`: at most half a bin from it.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without values, [`NotEstimable::InvalidInput`] for a q outside
    /// [0, 1].
    pub fn quantile(&self, q: f64) -> Result<f64, NotEstimable> {
        if !(0.0..=1.0).contains(&q) {
            return Err(NotEstimable::InvalidInput);
        }
        let n = self.counts.iter().fold(0.0, |sum, count| sum + count_to_f64(*count));
        let rank = libm::ceil(q * n).max(1.0);
        let mut below = 0.0;
        for (bin, count) in self.counts.iter().enumerate() {
            below += count_to_f64(*count);
            if below >= rank {
                return Ok(f64::midpoint(self.edges.0[bin], self.edges.0[bin + 1]));
            }
        }
        Err(NotEstimable::EmptyInput)
    }
}

/// The quantile of values themselves, interpolated linearly between order statistics (Hyndman and Fan's
/// type 7). Only where the values are.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without values; [`NotEstimable::InvalidInput`] where one is not finite or q
/// lies outside [0, 1].
///
/// # References
///
/// - R. J. Hyndman, Y. Fan (1996). Am. Stat. 50, 361–365.
///
/// # Examples
///
/// ```
/// // Three quarters of the way from 1 to 2: position 0.25 · 3 among four.
/// let quartile = fedval_stats::aggregate::quantile(&[3.0, 1.0, 2.0, 4.0], 0.25)?;
/// assert!((quartile - 1.75).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn quantile(values: &[f64], q: f64) -> Result<f64, NotEstimable> {
    if values.is_empty() {
        return Err(NotEstimable::EmptyInput);
    }
    if !(0.0..=1.0).contains(&q) || values.iter().any(|value| !value.is_finite()) {
        return Err(NotEstimable::InvalidInput);
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    finite(sorted_quantile(&sorted, q))
}

/// [`quantile`] of sorted, finite values, of which there is at least one.
pub(crate) fn sorted_quantile(sorted: &[f64], q: f64) -> f64 {
    let last = sorted.len() - 1;
    let position = q * crate::count::len_to_f64(last);
    let below = libm::floor(position);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the last position"
    )]
    let index = (below as usize).min(last);
    let share = position - below;
    let (low, high) = (sorted[index], sorted[(index + 1).min(last)]);
    // As NumPy: from the nearer end, so that equal neighbours give themselves.
    if share < 0.5 { low + (high - low) * share } else { high - (high - low) * (1.0 - share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bin_is_closed_and_what_lies_outside_is_left_out() {
        let edges = Edges::new(vec![0.0, 0.5, 1.0]).unwrap();
        let histogram = Histogram::of(edges, [0.0, 0.5, 1.0, 1.1, -0.1, f64::NAN]);
        assert_eq!(histogram.counts(), [1, 2]);
    }

    #[test]
    fn edges_must_rise() {
        for edges in [vec![], vec![1.0], vec![0.0, 0.0], vec![1.0, 0.0], vec![0.0, f64::NAN]] {
            assert!(Edges::new(edges).is_err());
        }
    }

    #[test]
    fn a_quantile_is_within_half_a_bin_of_its_order_statistic() {
        let values: Vec<f64> = (1..=99).map(|i| f64::from(i) / 100.0).collect();
        let edges = Edges::new((0..=20).map(|i| f64::from(i) / 20.0).collect()).unwrap();
        let histogram = Histogram::of(edges, values.iter().copied());
        assert!(
            (histogram.quantile(0.5).unwrap() - quantile(&values, 0.5).unwrap()).abs()
                <= 0.025 + 1e-12
        );
        assert_eq!(histogram.quantile(1.5), Err(NotEstimable::InvalidInput));
        let empty = Histogram::of(Edges::new(vec![0.0, 1.0]).unwrap(), []);
        assert_eq!(empty.quantile(0.5), Err(NotEstimable::EmptyInput));
    }

    #[test]
    fn quantiles_interpolate() {
        assert!((quantile(&[3.0, 1.0, 2.0, 4.0], 0.5).unwrap() - 2.5).abs() < 1e-15);
        assert!((quantile(&[7.0], 0.3).unwrap() - 7.0).abs() < 1e-15);
        assert_eq!(quantile(&[], 0.5), Err(NotEstimable::EmptyInput));
    }
}
