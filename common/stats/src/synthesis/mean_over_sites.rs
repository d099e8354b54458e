//! The mean of what sites show where there is no standard error to weigh them by.
//!
//! How sites differ holds both, chance within a site and what is different there: drawing whole sites again and again
//! shows how far their mean may be off, and asks nothing more of any site.

use crate::NotEstimable;
use crate::count::{count_to_f64, finite, len_to_f64};
use crate::interval::tail;
use crate::special::{normal, student_t};

/// Sites from which on drawing them again has limits: of four there are 35 different draws.
const LEAST_SITES: usize = 5;

/// Draws of as many sites as there are. With five sites and a level of 95 % the lower limit is the 19th of them.
const DRAWS: u32 = 20_000;

/// The mean over sites, each of which counts the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SiteMean {
    /// The mean.
    pub mean: f64,
    /// Its lower and upper confidence limit: [`NotEstimable::TooFewSites`] below five sites,
    /// [`NotEstimable::ZeroVariance`] where all sites show the same.
    pub limits: Result<(f64, f64), NotEstimable>,
}

/// The mean of `estimates`, one of each site, with an interval from 20,000 draws of sites.
///
/// Each draw takes k of the k sites, with replacement; the limits are the quantiles of the draws' means at p and 1 − p
/// (the `(20,000 + 1) p`-th of them, straight between two). Quantiles at the nominal tail would be too narrow, by
/// `√((k − 1) / k)` and by as much as the normal is narrower than Student's t, so p is
///
/// ```text
/// p = Φ(−√(k / (k − 1)) t),   t Student's quantile with k − 1 degrees of freedom at (1 + level) / 2
/// ```
///
/// No limit lies beyond the least or the largest estimate. Draws come from SplitMix64 begun at `seed`: the same
/// estimates, in whatever order, and the same seed give the same limits on every machine.
///
/// # Errors
///
/// [`NotEstimable::TooFewSites`] below two sites, [`NotEstimable::InvalidInput`] where an estimate is not finite or all
/// have no sum, [`NotEstimable::LevelOutOfRange`].
///
/// # References
///
/// - C. A. Field, A. H. Welsh (2007). Bootstrapping clustered data. J. R. Stat. Soc. B 69, 369–390 (clusters are drawn
///   whole).
/// - T. C. Hesterberg (2015). Am. Stat. 69, 371–386 (the expanded percentile interval).
/// - G. L. Steele, D. Lea, C. H. Flood (2014). Fast splittable pseudorandom number generators. OOPSLA, 453–472.
///
/// # Examples
///
/// ```
/// use fedval_stats::synthesis::mean_over_sites;
///
/// let over = mean_over_sites(&[0.2, 0.5, 0.6, 0.7, 0.9], 0.95, 1)?;
/// let (lower, upper) = over.limits?;
/// // Four times the least and the next; four times the largest and the one before.
/// assert!((over.mean - 0.58).abs() < 1e-12);
/// assert!((lower - 0.26).abs() < 1e-12 && (upper - 0.86).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn mean_over_sites(estimates: &[f64], level: f64, seed: u64) -> Result<SiteMean, NotEstimable> {
    let (tail, k) = (tail(level)?, estimates.len());
    if k < 2 {
        return Err(NotEstimable::TooFewSites { k, needed: 2 });
    }
    if estimates.iter().any(|estimate| !estimate.is_finite()) {
        return Err(NotEstimable::InvalidInput);
    }
    let mut sorted = estimates.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mean = finite(mean(&sorted))?;
    Ok(SiteMean { mean, limits: limits(&sorted, mean, tail, seed) })
}

fn limits(estimates: &[f64], mean: f64, tail: f64, seed: u64) -> Result<(f64, f64), NotEstimable> {
    let k = estimates.len();
    if k < LEAST_SITES {
        return Err(NotEstimable::TooFewSites { k, needed: LEAST_SITES });
    }
    let (least, largest) = (estimates[0], estimates[k - 1]);
    if largest - least <= 0.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    let means = drawn(estimates, seed);
    let place = widened(tail, k) * count_to_f64(DRAWS + 1);
    let lower = nth(means.iter(), place);
    let upper = nth(means.iter().rev(), place);
    // Rounding may put a mean of equal estimates beside them.
    let (lower, upper) = (finite(lower)?.max(least), finite(upper)?.min(largest));
    Ok((lower.min(mean), upper.max(mean)))
}

/// The tail in which as many draws lie as Student's t and the divisor k − 1 ask for.
fn widened(tail: f64, k: usize) -> f64 {
    let (k, df) = (len_to_f64(k), len_to_f64(k - 1));
    normal::cdf(-libm::sqrt(k / df) * student_t::upper_quantile(tail, df))
}

/// The means of all draws, from the least up.
fn drawn(estimates: &[f64], seed: u64) -> Vec<f64> {
    let (mut dice, k) = (Dice(seed), estimates.len());
    let draw = |_| {
        let sum = (0..k).fold(0.0, |sum, _| sum + estimates[dice.below(k)]);
        sum / len_to_f64(k)
    };
    let mut means: Vec<f64> = (0..DRAWS).map(draw).collect();
    means.sort_unstable_by(f64::total_cmp);
    means
}

/// The number at a place, counted from 1; straight between two places, and the first before it.
fn nth<'n>(mut numbers: impl Iterator<Item = &'n f64>, place: f64) -> f64 {
    let mut before = numbers.next().copied().unwrap_or_default();
    let mut passed = 1.0;
    for number in numbers {
        if place < passed + 1.0 {
            return before + (number - before) * (place - passed).max(0.0);
        }
        before = *number;
        passed += 1.0;
    }
    before
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |sum, number| sum + number) / len_to_f64(numbers.len())
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`: the high half of a product, which prefers none by more than one in 2⁶⁴ / `end`.
    #[expect(clippy::cast_possible_truncation, reason = "less than `end`")]
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.word()) * end as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_the_published_generator() {
        let mut dice = Dice(1_234_567);
        let first = [dice.word(), dice.word(), dice.word()];
        // Reference output of the authors' C code for this seed.
        let published =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(first, published);
        assert!((0..1_000).all(|_| dice.below(3) < 3));
    }

    /// Every draw of five sites, with its probability: no generator has a part in it.
    fn exact_quantile(estimates: [f64; 5], p: f64) -> f64 {
        let mut means: Vec<f64> = (0..5_usize.pow(5))
            .map(|draw| {
                let places = (0..5).map(|turn| draw / 5_usize.pow(turn) % 5);
                places.map(|place| estimates[place]).sum::<f64>() / 5.0
            })
            .collect();
        means.sort_unstable_by(f64::total_cmp);
        let rank = (p * 3_125.0).ceil();
        nth(means.iter(), rank)
    }

    #[test]
    fn limits_are_those_of_all_possible_draws() {
        let estimates = [0.2, 0.5, 0.6, 0.7, 0.9];
        // Φ(−√(5/4) 2.776445) = Φ(−3.104160).
        let p = widened(0.025, 5);
        assert!((p - 0.000_954).abs() < 1e-6, "{p}");
        let wanted = (exact_quantile(estimates, p), exact_quantile(estimates, 1.0 - p));
        assert!((wanted.0 - 0.26).abs() < 1e-12 && (wanted.1 - 0.86).abs() < 1e-12, "{wanted:?}");
        for seed in 0..20 {
            let (lower, upper) = mean_over_sites(&estimates, 0.95, seed).unwrap().limits.unwrap();
            assert!((lower - wanted.0).abs() < 1e-12, "{seed}: {lower}");
            assert!((upper - wanted.1).abs() < 1e-12, "{seed}: {upper}");
        }
    }

    #[test]
    fn neither_the_order_of_sites_nor_the_machine_shows_and_the_seed_hardly() {
        let sites = [0.71, 0.64, 0.82, 0.59, 0.77, 0.68, 0.74, 0.61];
        let mut turned = sites;
        turned.reverse();
        let of = |sites: &[f64], seed| mean_over_sites(sites, 0.95, seed).unwrap();
        assert_eq!(of(&sites, 7), of(&turned, 7));
        let (one, other) = (of(&sites, 7).limits.unwrap(), of(&sites, 8).limits.unwrap());
        assert!(one != other, "the seed has a part in it");
        // A thirtieth of the interval's width.
        assert!((one.0 - other.0).abs() < 0.004 && (one.1 - other.1).abs() < 0.004);
    }

    #[test]
    fn what_says_nothing_of_the_mean_has_a_reason() {
        let of = |sites: &[f64]| mean_over_sites(sites, 0.95, 1);
        assert_eq!(of(&[0.5]), Err(NotEstimable::TooFewSites { k: 1, needed: 2 }));
        let four = of(&[0.4, 0.5, 0.6, 0.7]).unwrap();
        assert!((four.mean - 0.55).abs() < 1e-12);
        assert_eq!(four.limits, Err(NotEstimable::TooFewSites { k: 4, needed: 5 }));
        assert_eq!(of(&[0.5; 6]).unwrap().limits, Err(NotEstimable::ZeroVariance));
        assert_eq!(of(&[0.5, f64::NAN, 0.6]), Err(NotEstimable::InvalidInput));
        assert_eq!(of(&[f64::MAX; 5]), Err(NotEstimable::InvalidInput));
        let wide = of(&[f64::MAX, f64::MAX, -f64::MAX, -f64::MAX, 0.0]);
        assert!(wide.is_err() || wide.is_ok_and(|wide| wide.limits.is_err()));
        assert_eq!(mean_over_sites(&[0.5, 0.6], 1.0, 1), Err(NotEstimable::LevelOutOfRange));
    }

    /// Of five sites whose values are normal: quantiles at the nominal tails hold the mean in 84 of 100 rounds.
    #[test]
    fn of_five_sites_the_interval_holds_the_mean_about_as_often_as_it_says() {
        let mut dice = Dice(20_261_128);
        let uniform = |dice: &mut Dice| count_to_f64(dice.word() >> 11) / libm::exp2(53.0);
        // Twelve uniform numbers add up to a normal one, nearly.
        let mut normal = || (0..12).map(|_| uniform(&mut dice)).sum::<f64>() - 6.0;
        let rounds = 400;
        let held = (0..rounds).filter(|round| {
            let sites: Vec<f64> = (0..5).map(|_| normal()).collect();
            let (lower, upper) = mean_over_sites(&sites, 0.95, *round).unwrap().limits.unwrap();
            lower <= 0.0 && upper >= 0.0
        });
        let held = held.count();
        assert!((355..=395).contains(&held), "{held} of {rounds}");
    }
}
