//! The regularised incomplete gamma functions.
//!
//! # References
//!
//! - W. H. Press et al. (2007). Numerical Recipes, 3rd ed., section 6.2.

use super::saddle_point::poisson_density;

/// Series and fraction take O(√a) steps near the mean, a being half the number of sites here.
const MAX_STEPS: u32 = 200_000;

/// Stands for 0 in a denominator of the continued fraction (modified Lentz method).
const FLOOR: f64 = 1e-300;

/// `Q(a, x) = Γ(a, x) / Γ(a)`, the upper tail, for a > 0 and x ≥ 0.
pub(crate) fn upper(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        1.0
    } else if x < a + 1.0 {
        1.0 - lower_series(a, x)
    } else {
        upper_fraction(a, x)
    }
}

/// `P(a, x) = Σ xᵃ⁺ⁿ e⁻ˣ / Γ(a + n + 1)`.
fn lower_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for step in 1..=MAX_STEPS {
        term *= x / (a + f64::from(step));
        sum += term;
        if term <= f64::EPSILON * 0.5 * sum {
            break;
        }
    }
    poisson_density(a, x) * sum
}

/// Legendre's continued fraction by the modified Lentz method.
#[expect(clippy::many_single_char_names, reason = "the symbols of the reference")]
fn upper_fraction(a: f64, x: f64) -> f64 {
    let floored = |value: f64| if value.abs() < FLOOR { FLOOR } else { value };
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / FLOOR;
    let mut d = 1.0 / floored(b);
    let mut fraction = d;
    for step in 1..=MAX_STEPS {
        let n = f64::from(step);
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / floored(numerator * d + b);
        c = floored(b + numerator / c);
        let change = d * c;
        fraction *= change;
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    // xᵃ e⁻ˣ / Γ(a) = a · xᵃ e⁻ˣ / Γ(a + 1)
    a * poisson_density(a, x) * fraction
}

#[cfg(test)]
mod tests {
    use super::upper;
    use statrs::function::gamma::gamma_ur;

    #[test]
    fn the_upper_tail_agrees_with_an_independent_implementation() {
        for a in [0.5, 1.0, 1.5, 4.0, 12.5, 60.0] {
            for step in 1..60 {
                let x = f64::from(step) * 1.7;
                let want = gamma_ur(a, x);
                assert!((upper(a, x) - want).abs() <= 1e-12, "Q({a}, {x})");
            }
        }
    }

    #[test]
    fn the_exponential_tail_is_relatively_exact() {
        // Q(1, x) = e^−x.
        for x in [0.1, 1.0, 30.0, 300.0, 700.0] {
            assert!((upper(1.0, x) / libm::exp(-x) - 1.0).abs() < 1e-11, "{x}");
        }
    }
}
