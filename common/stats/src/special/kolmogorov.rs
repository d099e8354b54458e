//! The limiting distribution of Kolmogorov's statistic.

use std::f64::consts::{PI, TAU};

/// Below this argument the first of the two series converges faster.
const EXCHANGE: f64 = 1.18;

/// Terms of either series; the ones after them are below the last bit.
const TERMS: u32 = 12;

/// `P(K ≥ x) = 2 Σ (−1)^{j−1} exp(−2j²x²)`, for x ≥ 0.
pub(crate) fn upper_tail(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x < EXCHANGE {
        let sum = (1..=TERMS).fold(0.0, |sum, j| {
            let odd = f64::from(2 * j - 1);
            sum + libm::exp(-odd * odd * PI * PI / (8.0 * x * x))
        });
        return 1.0 - libm::sqrt(TAU) / x * sum;
    }
    let sum = (1..=TERMS).rev().fold(0.0, |sum, j| {
        let term = libm::exp(-2.0 * f64::from(j * j) * x * x);
        if j % 2 == 1 { sum + term } else { sum - term }
    });
    2.0 * sum
}

#[cfg(test)]
mod tests {
    use super::upper_tail;

    #[test]
    fn the_tail_is_that_of_the_tables_and_the_series_meet() {
        // Smirnov's table: P(K ≥ 1.36) = 0.0495, P(K ≥ 0.5) = 0.9639.
        assert!((upper_tail(1.36) - 0.049_486).abs() < 1e-6);
        assert!((upper_tail(0.5) - 0.963_945).abs() < 1e-6);
        assert!((upper_tail(1.18 - 1e-9) - upper_tail(1.18)).abs() < 1e-8);
        assert!((upper_tail(0.0) - 1.0).abs() < 1e-15 && upper_tail(40.0) < 1e-300);
    }
}
