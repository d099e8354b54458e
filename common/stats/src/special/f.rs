//! The F distribution.

use super::{beta, chi_square};

/// With more degrees of freedom of the denominator F is chi-square by its own, to nine digits.
const MANY: f64 = 1e10;

/// P(F ≥ x) with `df1`, `df2` > 0 degrees of freedom, for x ≥ 0.
pub(crate) fn upper_tail(x: f64, df1: f64, df2: f64) -> f64 {
    if df2 > MANY {
        return chi_square::upper_tail(x * df1, df1);
    }
    let denominator = df2 + df1 * x;
    if !denominator.is_finite() {
        return 0.0;
    }
    beta::incomplete(df2 / 2.0, df1 / 2.0, df2 / denominator, df1 * x / denominator)
}

/// The x with P(F ≥ x) = p, for 0 < p < 1.
pub(crate) fn upper_quantile(p: f64, df1: f64, df2: f64) -> f64 {
    // `df1·F / (df2 + df1·F)` is Beta(df1/2, df2/2). Of the two complementary shares the smaller one is
    // solved for: it keeps its digits.
    let rest = beta::quantile(p, df2 / 2.0, df1 / 2.0);
    if rest <= 0.5 {
        return df2 * (1.0 - rest) / (df1 * rest);
    }
    let share = beta::quantile(1.0 - p, df1 / 2.0, df2 / 2.0);
    df2 * share / (df1 * (1.0 - share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_and_quantiles_are_those_of_the_tables() {
        // F(0.05; 5, 2) = 19.2964 and F(0.05; 3, 20) = 3.0984.
        assert!((upper_quantile(0.05, 5.0, 2.0) - 19.296_409_652).abs() < 1e-8);
        assert!((upper_quantile(0.05, 3.0, 20.0) - 3.098_391_212_140_8).abs() < 1e-10);
        for (p, df1, df2) in [(0.975, 4.0, 7.5), (0.025, 19.0, 21.3), (1e-6, 1.0, 3.0)] {
            let x = upper_quantile(p, df1, df2);
            assert!((upper_tail(x, df1, df2) / p - 1.0).abs() < 1e-12);
        }
        assert!((upper_tail(0.0, 2.0, 3.0) - 1.0).abs() < 1e-15);
        assert!(upper_tail(f64::MAX, 2.0, 3.0) <= 0.0);
    }
}
