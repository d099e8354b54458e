//! Histograms with discrete Gaussian noise: `dp`.
//!
//! A patient counts once: in one bin of the whole cohort and in at most one cell of each table, so with
//! T tables one patient changes the released integers by a vector of length √(1 + T). Noise with
//! σ² = (1 + T) / (2ρ) costs ρ zCDP.
//!
//! Source: Canonne, Kamath, Steinke (2020), The discrete Gaussian for differential privacy, Theorem 4;
//! Bun and Steinke (2016) for the composition of ρ.

use fedval_study::noisy::NoisyCount;
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::summary::{DimensionSummary, Histogram};
use fedval_study::{Cell, NoisyPerformance, Release, Terms};
use prio::dp::Rational;
use prio::dp::distributions::DiscreteGaussian;
use prio::vdaf::xof::SeedStreamTurboShake128;
use rand::SeedableRng as _;
use rand::distr::Distribution as _;

/// Draws noise from a seed that is used once and kept nowhere.
struct Noise {
    distribution: DiscreteGaussian,
    stream: SeedStreamTurboShake128,
}

/// Standard deviation in 10⁻⁶ for so many tables and a cost in 10⁻⁶ zCDP, rounded up.
#[must_use]
pub(crate) fn sigma_micro(tables: usize, rho_micro: u32) -> u64 {
    let squared = 1 + u128::try_from(tables).unwrap_or(u128::MAX / 2);
    // σ² = (1 + T) / (2ρ), in units of 10⁻¹².
    let variance =
        squared.saturating_mul(1_000_000_000_000_000_000) / (2 * u128::from(rho_micro.max(1)));
    u64::try_from(variance.isqrt()).unwrap_or(u64::MAX - 1) + 1
}

impl Noise {
    fn new(sigma_micro: u64, seed: [u8; 32]) -> Option<Self> {
        let sigma = Rational::from_unsigned(u128::from(sigma_micro), 1_000_000_u128).ok()?;
        let distribution = DiscreteGaussian::new(sigma).ok()?;
        Some(Self { distribution, stream: SeedStreamTurboShake128::from_seed(seed) })
    }

    fn onto(&mut self, count: u64) -> NoisyCount {
        let noise = i64::try_from(self.distribution.sample(&mut self.stream)).unwrap_or(0);
        NoisyCount(i64::try_from(count).unwrap_or(i64::MAX).saturating_add(noise))
    }

    fn histogram(&mut self, exact: &Histogram) -> NoisyPerformance {
        NoisyPerformance {
            positives: exact.positives.iter().map(|count| self.onto(*count)).collect(),
            negatives: exact.negatives.iter().map(|count| self.onto(*count)).collect(),
        }
    }
}

/// The release; `None` where the noise cannot be drawn, which no valid policy allows.
pub(crate) fn release(
    terms: Terms,
    rho_micro: u32,
    whole: &Histogram,
    tables: &[DimensionSummary],
    seed: [u8; 32],
) -> Option<Release<NoisyPerformance>> {
    let mut noise = Noise::new(sigma_micro(tables.len(), rho_micro), seed)?;
    let empty = Histogram {
        positives: vec![0; whole.positives.len()],
        negatives: vec![0; whole.negatives.len()],
    };
    let overall = noise.histogram(whole);
    let mut subgroups = Vec::new();
    for table in tables {
        for leaf in &table.leaves {
            let Some(category) = leaf.category.clone() else { continue };
            let exact = leaf.group.as_ref().map_or(&empty, |group| &group.histogram);
            subgroups.push(SubgroupCell {
                dimension: table.dimension.clone(),
                category,
                // Also a cell of nobody: that it is empty is not told.
                performance: Cell::Released(noise.histogram(exact)),
            });
        }
    }
    // Failed cases are other patients' cells: their counts are not part of what ρ pays for.
    let attrition: Vec<AttritionCount> = Vec::new();
    Some(Release { terms, attrition, overall, subgroups })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_is_that_of_the_cost() {
        // One table beside the whole: σ² = 2 / (2 · 0.125) = 8.
        assert_eq!(sigma_micro(1, 125_000), 2_828_428);
        assert_eq!(sigma_micro(0, 125_000), 2_000_001);
    }

    #[test]
    fn one_seed_is_one_result_and_the_noise_has_its_variance() {
        let draw = |seed| {
            let mut noise = Noise::new(sigma_micro(0, 50_000), [seed; 32]).unwrap();
            (0..4000).map(|_| noise.onto(100).0).collect::<Vec<_>>()
        };
        let counts = draw(1);
        assert_eq!(counts, draw(1));
        assert_ne!(counts, draw(2));
        let mean = counts.iter().sum::<i64>() / 4000;
        let squares: i64 = counts.iter().map(|count| (count - 100).pow(2)).sum();
        assert!((99..=100).contains(&mean), "{mean}");
        // σ² = 10; the standard error of the mean square is 10 √(2 / 4000) = 0.22.
        assert!((36_000..=44_000).contains(&squares), "{squares}");
    }
}
