//! Loader's saddle-point pieces: gamma ratios without cancellation.
//!
//! Written with logarithms of gamma functions, a density at a million cases would be the
//! exponential of a small difference of numbers near 10⁷. These pieces never form the large
//! numbers.
//!
//! # References
//!
//! - C. Loader (2000). Fast and accurate computation of binomial probabilities.

use std::f64::consts::TAU;

/// ln √(2π)
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// From here on the Stirling series with its terms below is exact to the last bit.
const SERIES_FROM: f64 = 16.0;

/// `ln Γ(n + 1) − ((n + ½) ln n − n + ln √(2π))`, the error of Stirling's formula, for n > 0.
pub(crate) fn stirling_error(n: f64) -> f64 {
    // Coefficients B₂ₖ / (2k (2k − 1)) of the asymptotic series.
    const TERMS: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    if n < SERIES_FROM {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - HALF_LOG_TAU;
    }
    let inverse = 1.0 / n;
    let squared = inverse * inverse;
    inverse * TERMS.iter().rev().fold(0.0, |sum, term| sum * squared + term)
}

/// `x ln(x / m) + m − x`, the deviance of x about its mean m, for x > 0 and m > 0.
pub(crate) fn deviance_part(x: f64, m: f64) -> f64 {
    let d = x - m;
    if d.abs() >= 0.1 * (x + m) {
        return x * libm::log(x / m) + m - x;
    }
    // Near the mean the closed form cancels. With v = (x − m)/(x + m), ln(x/m) = 2 artanh(v).
    let v = d / (x + m);
    let squared = v * v;
    let mut sum = d * v;
    let mut term = 2.0 * x * v;
    let mut odd = 1.0;
    loop {
        term *= squared;
        odd += 2.0;
        let next = sum + term / odd;
        // |v| < 0.1, so each term is a hundredth of the last and this ends within 20 rounds.
        let moved = (next - sum).abs();
        if moved <= f64::EPSILON * 0.5 * sum.abs() || moved.is_nan() {
            return next;
        }
        sum = next;
    }
}

/// `Γ(n+1) / (Γ(x+1) Γ(n−x+1)) · pˣ qⁿ⁻ˣ` with n = a + b, x = a, for a, b, p, q > 0, p + q = 1:
/// the binomial density continued to real counts.
#[expect(clippy::many_single_char_names, reason = "the symbols of the formula above")]
pub(crate) fn binomial_density(a: f64, b: f64, p: f64, q: f64) -> f64 {
    let n = a + b;
    let log_ratio = stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance_part(a, n * p)
        - deviance_part(b, n * q);
    libm::exp(log_ratio) * libm::sqrt(n / (TAU * a * b))
}

/// `xᵃ e⁻ˣ / Γ(a+1)` for a, x > 0: the Poisson density continued to real counts.
pub(crate) fn poisson_density(a: f64, x: f64) -> f64 {
    libm::exp(-stirling_error(a) - deviance_part(a, x)) / libm::sqrt(TAU * a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Binomial, Discrete, Poisson};

    #[test]
    fn the_two_forms_of_the_stirling_error_meet() {
        let below = stirling_error(SERIES_FROM - 1e-9);
        let above = stirling_error(SERIES_FROM);
        assert!((below - above).abs() < 1e-12);
    }

    #[test]
    fn the_two_forms_of_the_deviance_meet() {
        let m = 100.0;
        let edge = m * 1.1 / 0.9;
        let direct = |x: f64| x * libm::log(x / m) + m - x;
        assert!((deviance_part(edge - 1e-9, m) - direct(edge - 1e-9)).abs() < 1e-12);
        assert!(deviance_part(m, m).abs() < 1e-300);
    }

    #[test]
    fn integer_counts_give_the_discrete_densities() {
        let binomial = Binomial::new(0.3, 40).unwrap();
        let poisson = Poisson::new(7.5).unwrap();
        for x in 1..40_u32 {
            let (a, b) = (f64::from(x), f64::from(40 - x));
            let got = binomial_density(a, b, 0.3, 0.7);
            assert!((got / binomial.pmf(u64::from(x)) - 1.0).abs() < 1e-11, "{x}");
            let got = poisson_density(a, 7.5);
            assert!((got / poisson.pmf(u64::from(x)) - 1.0).abs() < 1e-11, "{x}");
        }
    }
}
