//! Student's t distribution.

use std::f64::consts::PI;

use super::{beta, normal};
use crate::root::brent;

/// With more degrees of freedom the distribution is the normal one, to nine digits.
const MANY: f64 = 1e10;

/// P(T ≥ t) with `df` > 0 degrees of freedom, relatively exact in the upper tail.
pub(crate) fn upper_tail(t: f64, df: f64) -> f64 {
    if df > MANY {
        return normal::cdf(-t);
    }
    let squared = t * t;
    if squared.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    let x = df / (df + squared);
    let y = squared / (df + squared);
    let half = 0.5 * beta::incomplete(df / 2.0, 0.5, x, y);
    if t >= 0.0 { half } else { 1.0 - half }
}

/// P(T ≤ t).
pub(crate) fn cdf(t: f64, df: f64) -> f64 {
    upper_tail(-t, df)
}

/// P(|T| ≥ |t|), the two-sided p-value of a t statistic.
pub(crate) fn two_sided_p(t: f64, df: f64) -> f64 {
    2.0 * upper_tail(t.abs(), df)
}

/// The t with P(T ≥ t) = p, for 0 < p < 1 and df > 0, which need not be whole.
pub(crate) fn upper_quantile(p: f64, df: f64) -> f64 {
    if p > 0.5 {
        return -upper_quantile(1.0 - p, df);
    }
    if df > MANY {
        return normal::upper_quantile(p);
    }
    let is = |whole: f64| (df - whole).abs() < 1e-12;
    if is(1.0) {
        // One degree of freedom is the Cauchy distribution.
        return 1.0 / libm::tan(PI * p);
    }
    if is(2.0) {
        // Two degrees of freedom invert in closed form.
        return (1.0 - 2.0 * p) / libm::sqrt(2.0 * p * (1.0 - p));
    }
    let mut high = normal::upper_quantile(p).max(1.0);
    while upper_tail(high, df) > p {
        high *= 2.0;
    }
    brent(|t| upper_tail(t, df) - p, 0.0, high).unwrap_or(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, StudentsT};

    #[test]
    fn the_tail_agrees_with_an_independent_implementation() {
        for df in [1.0, 2.0, 3.0, 7.0, 24.0, 200.0] {
            let oracle = StudentsT::new(0.0, 1.0, df).unwrap();
            for step in -60..=60 {
                let t = f64::from(step) / 6.0;
                assert!((cdf(t, df) - oracle.cdf(t)).abs() < 1e-12, "{t} {df}");
            }
        }
    }

    #[test]
    fn the_quantile_inverts_the_tail() {
        for df in [1.0, 1.27, 1.5, 2.0, 2.35, 3.0, 4.0, 11.0, 60.0, 1_000.0] {
            for p in [0.975, 0.5, 0.05, 0.025, 0.005, 1e-6] {
                let back = upper_tail(upper_quantile(p, df), df);
                assert!((back / p - 1.0).abs() < 1e-11, "{p} {df}: {back:e}");
            }
        }
    }

    #[test]
    fn tabled_critical_values_are_reproduced() {
        // Any table of the distribution, two-sided 95 %.
        for (df, want) in [(1.0, 12.706_205), (2.0, 4.302_653), (4.0, 2.776_445), (7.0, 2.364_624)]
        {
            assert!((upper_quantile(0.025, df) - want).abs() < 1e-6, "{df}");
        }
    }

    #[test]
    fn degrees_of_freedom_without_number_are_the_normal_distribution() {
        for df in [1e11, 1e13, 1e58, f64::MAX] {
            assert!((upper_quantile(0.025, df) - 1.959_963_985).abs() < 1e-8, "{df}");
            assert!((upper_tail(1.0, df) - 0.158_655_254).abs() < 1e-8, "{df}");
        }
        assert!(upper_tail(1e300, 3.0) <= 0.0 && upper_tail(-1e300, 3.0) >= 1.0);
    }

    #[test]
    fn a_large_statistic_keeps_a_relative_p_value() {
        // With one degree of freedom P(|T| ≥ t) = 2 atan(1/t) / π.
        let t = 1e8;
        let want = 2.0 * libm::atan(1.0 / t) / PI;
        assert!((two_sided_p(t, 1.0) / want - 1.0).abs() < 1e-12);
    }
}
