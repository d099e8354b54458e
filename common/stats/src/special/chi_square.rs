//! The chi-square distribution.

use super::{gamma, normal};
use crate::root::brent;

/// P(X ≥ x) with `df` > 0 degrees of freedom, for x ≥ 0.
pub(crate) fn upper_tail(x: f64, df: f64) -> f64 {
    gamma::upper(df / 2.0, x / 2.0)
}

/// The x with P(X ≥ x) = p, for 0 < p < 1.
pub(crate) fn upper_quantile(p: f64, df: f64) -> f64 {
    // Wilson–Hilferty is within a few per cent; doubling from there finds the bracket.
    let c = 2.0 / (9.0 * df);
    let cube_root = 1.0 - c + normal::upper_quantile(p) * libm::sqrt(c);
    let mut high = (df * cube_root * cube_root * cube_root).max(1e-3);
    while upper_tail(high, df) > p {
        high *= 2.0;
    }
    brent(|x| upper_tail(x, df) - p, 0.0, high).unwrap_or(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    #[test]
    fn the_tail_agrees_with_an_independent_implementation() {
        for df in [1.0, 2.0, 5.0, 12.0, 40.0] {
            let oracle = ChiSquared::new(df).unwrap();
            for step in 1..100 {
                let x = f64::from(step);
                assert!((upper_tail(x, df) - oracle.sf(x)).abs() < 1e-12, "{x} {df}");
            }
        }
    }

    #[test]
    fn the_quantile_inverts_the_tail() {
        for df in [1.0, 2.0, 7.0, 30.0, 500.0] {
            for p in [0.975, 0.5, 0.05, 0.025, 1e-6] {
                let back = upper_tail(upper_quantile(p, df), df);
                assert!((back / p - 1.0).abs() < 1e-11, "{p} {df}");
            }
        }
        // Any table of the distribution.
        assert!((upper_quantile(0.05, 1.0) - 3.841_458_820_694_124).abs() < 1e-12);
    }
}
