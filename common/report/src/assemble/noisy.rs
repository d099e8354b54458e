//! Estimates from a histogram with noise: everything is computed from noisy bins alone, and every
//! standard error holds the noise as well as the sampling of cases.
//!
//! A bin's count has variance σ² beside its own. The error of a ratio and of the area follow by the
//! delta method. Where noise is large beside the counts there is no estimate, and that is said.

use fedval_stats::{NotEstimable, auroc};
use fedval_study::NoisyPerformance;
use fedval_study::protocol::StudyProtocol;

use super::aggregates::bins;
use super::contribution::number;
use crate::report::Reason;

/// An estimate with its standard error on the same scale.
pub(super) type Estimate = Result<(f64, f64), Reason>;

/// A class must hold this many standard deviations of its noise.
const CLEAR: f64 = 5.0;

/// A histogram with noise, and how it is read.
pub(super) struct Histogram<'a> {
    group: &'a NoisyPerformance,
    sigma: f64,
    bins: Vec<(f64, f64)>,
}

impl<'a> Histogram<'a> {
    pub(super) fn new(plan: &StudyProtocol, group: &'a NoisyPerformance, sigma: f64) -> Self {
        Self { group, sigma, bins: bins(plan) }
    }

    /// Counts of a label, as they came.
    fn counts(&self, positive: bool) -> Vec<f64> {
        let counts = if positive { &self.group.positives } else { &self.group.negatives };
        #[expect(clippy::cast_precision_loss, reason = "counts of patients with a little noise")]
        counts.iter().map(|count| count.0 as f64).collect()
    }

    /// A label's total, where it stands out of the noise.
    fn total(&self, positive: bool) -> Result<f64, Reason> {
        let counts = self.counts(positive);
        let total: f64 = counts.iter().sum();
        let noise = self.sigma * number(counts.len() as u64).sqrt();
        if total > CLEAR * noise { Ok(total) } else { Err(Reason::NoiseTooLarge) }
    }

    /// The share of a label on one side of a cut-off: sensitivity or specificity.
    pub(super) fn share(&self, threshold: f64, positive: bool) -> Estimate {
        let total = self.total(positive)?;
        let cut = (threshold * 1e6).round() / 1e6;
        let is_right = |upper: f64| (upper > cut + 1e-9) == positive;
        let (mut right, mut wrong, mut right_bins, mut wrong_bins) = (0.0, 0.0, 0.0, 0.0);
        for (count, (_, upper)) in self.counts(positive).iter().zip(&self.bins) {
            if is_right(*upper) {
                right += count;
                right_bins += 1.0;
            } else {
                wrong += count;
                wrong_bins += 1.0;
            }
        }
        let share = (right / total).clamp(0.0, 1.0);
        let sampling = share * (1.0 - share) / total;
        let spread = wrong * wrong * right_bins + right * right * wrong_bins;
        let noise = self.sigma * self.sigma * spread / total.powi(4);
        Ok((share, (sampling + noise).sqrt()))
    }

    /// The area under the curve through the bins, ties within a bin counting one half.
    pub(super) fn area(&self) -> Estimate {
        let (n_pos, n_neg) = (self.total(true)?, self.total(false)?);
        let (positives, negatives) = (self.counts(true), self.counts(false));
        let mut below = 0.0;
        let mut area = 0.0;
        let mut among_negatives = Vec::new();
        for (p, q) in positives.iter().zip(&negatives) {
            among_negatives.push((below + q / 2.0) / n_neg);
            area += p * (below + q / 2.0);
            below += q;
        }
        let area = (area / (n_pos * n_neg)).clamp(0.0, 1.0);
        let mut above = n_pos;
        let mut noise = 0.0;
        for (p, below) in positives.iter().zip(&among_negatives) {
            above -= p;
            let among_positives = (above + p / 2.0) / n_pos;
            noise += ((below - area) / n_pos).powi(2) + ((among_positives - area) / n_neg).powi(2);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive totals"
        )]
        let (whole_pos, whole_neg) = (n_pos as u64, n_neg as u64);
        let sampling = auroc::hanley_mcneil_se(area, whole_pos, whole_neg)?;
        Ok((area, (sampling.powi(2) + self.sigma.powi(2) * noise).sqrt()))
    }

    /// Mean squared error of bin centres. Its error is not given: it is that of the centres.
    pub(super) fn brier(&self) -> Result<f64, Reason> {
        let n = self.total(true)? + self.total(false)?;
        let sum: f64 =
            self.rows().map(|(p, q, centre)| p * (1.0 - centre).powi(2) + q * centre.powi(2)).sum();
        Ok((sum / n).clamp(0.0, 1.0))
    }

    /// Events, expected events and cases.
    pub(super) fn observed_and_expected(&self) -> Result<(f64, f64, f64), Reason> {
        let (n_pos, n_neg) = (self.total(true)?, self.total(false)?);
        let expected: f64 = self.rows().map(|(p, q, centre)| (p + q) * centre).sum();
        if expected <= 0.0 {
            return Err(NotEstimable::NoEvents.into());
        }
        Ok((n_pos, expected, n_pos + n_neg))
    }

    /// Variance of ln(O/E) that the noise of the bins brings, to first order.
    pub(super) fn log_oe_noise(&self, observed: f64, expected: f64) -> f64 {
        let by_bin = self.rows().map(|(_, _, centre)| {
            let share = centre / expected;
            (1.0 / observed - share).powi(2) + share.powi(2)
        });
        self.sigma.powi(2) * by_bin.sum::<f64>()
    }

    fn rows(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let counts = self.counts(true).into_iter().zip(self.counts(false));
        counts.zip(&self.bins).map(|((p, q), (lower, upper))| (p, q, f64::midpoint(*lower, *upper)))
    }
}
