//! Random numbers from a seed, so that every run makes the same hospitals.

use std::f64::consts::TAU;

/// Odd constant nearest to 2⁶⁴ divided by the golden ratio: consecutive states differ in half
/// their bits.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
///
/// Transcendental functions come from `libm`: the standard library's differ between platforms,
/// and the same seed must make the same bytes everywhere.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
    /// Box–Muller makes two normal numbers at a time.
    spare: Option<f64>,
}

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        Self { state: seed, spare: None }
    }

    /// The sequence that belongs to `key` under `seed`, independent of all others.
    ///
    /// Patients draw from their own sequence: how many threads make them, and in which order,
    /// changes nothing.
    #[must_use]
    pub fn of(seed: u64, key: u64) -> Self {
        Self::from_seed(mixed(seed ^ mixed(key.wrapping_add(STEP))))
    }

    /// Sixty-four random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mixed(self.state)
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        // The upper half suffices for images, and converts without loss.
        let upper = u32::try_from(self.bits() >> 32).expect("a u64 shifted by 32 fits");
        f64::from(upper) / 4_294_967_296.0
    }

    /// Uniform in [`low`, `high`).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Standard normal, by Box and Muller (1958).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 − u lies in (0, 1], where the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        let (sine, cosine) = libm::sincos(TAU * self.unit());
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// Index of one of `shares`, each with a probability in proportion.
    pub fn index_by_share(&mut self, shares: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.unit() * shares.clone().sum::<f64>();
        let mut last = 0;
        for (index, share) in shares.enumerate() {
            last = index;
            if left < share {
                break;
            }
            left -= share;
        }
        last
    }
}

/// A bijection of 64 bits in which every input bit moves every output bit.
const fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_the_published_generator() {
        let mut random = Random::from_seed(1_234_567);
        let first = [random.bits(), random.bits(), random.bits()];
        // Reference output of the authors' C code for this seed.
        let published =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(first, published);
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut random = Random::from_seed(1);
        let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 19_999.0;
        // Four standard errors: 1/√20000 and √(2/20000).
        assert!(mean.abs() < 0.028, "{mean}");
        assert!((variance - 1.0).abs() < 0.04, "{variance}");
    }

    #[test]
    fn shares_are_kept() {
        let mut random = Random::from_seed(2);
        let mut counts = [0_u32; 3];
        for _ in 0..10_000 {
            counts[random.index_by_share([1.0, 0.0, 3.0].into_iter())] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((2300..2700).contains(&counts[0]), "{counts:?}");
    }
}
