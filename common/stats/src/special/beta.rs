//! The regularised incomplete beta function and its inverse.
//!
//! # References
//!
//! - W. H. Press et al. (2007). Numerical Recipes, 3rd ed., section 6.4 (continued fraction).
//! - C. Loader (2000), for the factor in front; see [`saddle_point`](super::saddle_point).

use super::saddle_point::binomial_density;
use crate::root::brent;

/// The continued fraction takes O(√max(a, b)) steps: enough for 10¹⁰ cases, and a limit to what
/// absurd counts can cost.
const MAX_STEPS: u32 = 200_000;

/// Stands for 0 in a denominator of the continued fraction (modified Lentz method).
const FLOOR: f64 = 1e-300;

/// `I_x(a, b)` for a, b > 0, with `y = 1 − x` given apart so that neither end loses digits.
pub(crate) fn incomplete(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    // The fraction converges fast below the mean; above it the mirrored one does.
    if x <= (a + 1.0) / (a + b + 2.0) {
        lower_part(a, b, x, y)
    } else {
        1.0 - lower_part(b, a, y, x)
    }
}

/// `xᵃ yᵇ / (a B(a, b)) · cf`, where `1 / B(a, b) = ab/(a + b) · binomial coefficient`.
fn lower_part(a: f64, b: f64, x: f64, y: f64) -> f64 {
    binomial_density(a, b, x, y) * b / (a + b) * continued_fraction(a, b, x)
}

#[expect(clippy::many_single_char_names, reason = "the symbols of the reference")]
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    let floored = |value: f64| if value.abs() < FLOOR { FLOOR } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / floored(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..=MAX_STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / floored(1.0 + even * d);
        c = floored(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / floored(1.0 + odd * d);
        c = floored(1.0 + odd / c);
        let change = d * c;
        fraction *= change;
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

/// The x with `I_x(a, b) = p`, for a, b > 0 and 0 < p < 1.
pub(crate) fn quantile(p: f64, a: f64, b: f64) -> f64 {
    // Solve on the side where the quantile is small, so that its relative precision is kept.
    if incomplete(a, b, 0.5, 0.5) >= p {
        brent(|x| incomplete(a, b, x, 1.0 - x) - p, 0.0, 0.5).unwrap_or(0.5)
    } else {
        1.0 - brent(|y| incomplete(a, b, 1.0 - y, y) - p, 0.0, 0.5).unwrap_or(0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::function::beta::beta_reg;

    #[test]
    fn the_integral_agrees_with_an_independent_implementation() {
        for a in [0.5, 1.0, 2.5, 10.0, 55.5, 300.0] {
            for b in [0.5, 1.0, 3.0, 12.5, 80.0] {
                for step in 1..20 {
                    let x = f64::from(step) / 20.0;
                    let want = beta_reg(a, b, x);
                    let got = incomplete(a, b, x, 1.0 - x);
                    assert!((got - want).abs() <= 1e-12, "I_{x}({a}, {b}): {got} {want}");
                }
            }
        }
    }

    #[test]
    fn closed_forms_hold_at_large_counts() {
        // I_x(a, 1) = x^a and I_x(1, b) = 1 − (1 − x)^b.
        let got = incomplete(1e6, 1.0, 1.0 - 1e-6, 1e-6);
        assert!((got - libm::exp(1e6 * libm::log1p(-1e-6))).abs() < 1e-12);
        let got = incomplete(1.0, 1e6, 1e-6, 1.0 - 1e-6);
        assert!((got + libm::expm1(1e6 * libm::log1p(-1e-6))).abs() < 1e-12);
    }

    #[test]
    fn the_quantile_inverts_the_integral() {
        for a in [0.5, 1.0, 4.0, 81.0, 5_000.5] {
            for b in [0.5, 2.0, 183.0, 20_000.0] {
                for p in [0.005, 0.025, 0.5, 0.975, 0.995] {
                    let x = quantile(p, a, b);
                    let back = incomplete(a, b, x, 1.0 - x);
                    // Near 1 the quantile is rounded to an ulp of 1, which a steep integral
                    // magnifies: 1e-16 times a density of 10⁴ or so.
                    assert!((back - p).abs() < 1e-10, "{p} {a} {b}: {back}");
                }
            }
        }
    }
}
